#include "standards/registry.h"

#include "standards/csv/reader.h"
#include "standards/definition.h"
#include "standards/fhir/reader.h"
#include "standards/fhir/validate.h"
#include "standards/hl7/reader.h"
#include "standards/hl7/validate.h"
#include "standards/x12/reader.h"
#include "standards/x12/validate.h"

static shunt_reader *x12(const shunt_memory *memory, const shunt_plan *plan) { return shunt_x12_reader_new(memory, plan, NULL); }

static shunt_reader *hl7(const shunt_memory *memory, const shunt_plan *plan) { return shunt_hl7_reader_new(memory, plan, NULL); }

static shunt_reader *csv(const shunt_memory *memory, const shunt_plan *plan)
{
    return shunt_csv_reader_new(memory, plan, SHUNT_STANDARD_CSV, NULL);
}

static shunt_reader *fixed(const shunt_memory *memory, const shunt_plan *plan)
{
    return shunt_csv_reader_new(memory, plan, SHUNT_STANDARD_FIXED, NULL);
}

static shunt_reader *fhir(const shunt_memory *memory, const shunt_plan *plan)
{
    return shunt_fhir_reader_new(memory, plan, NULL);
}

/* What this version reads, by standard. `make` NULL: nothing does. */
static const struct {
    const char *name;
    shunt_reader *(*make)(const shunt_memory *memory, const shunt_plan *plan);
} readers[SHUNT_STANDARD_COUNT] = {
    [SHUNT_STANDARD_X12] = { "X12", x12 }, [SHUNT_STANDARD_HL7] = { "HL7", hl7 },       [SHUNT_STANDARD_FHIR] = { "FHIR", fhir },
    [SHUNT_STANDARD_CSV] = { "CSV", csv }, [SHUNT_STANDARD_FIXED] = { "FIXED", fixed },
};

const char *shunt_standard_name(shunt_standard standard) { return readers[standard].name; }

bool shunt_reader_known(shunt_text name, shunt_standard *standard)
{
    for (int i = 0; i < SHUNT_STANDARD_COUNT; i++) {
        if (!readers[i].make || !shunt_text_is(name, readers[i].name)) continue;
        *standard = (shunt_standard)i;
        return true;
    }
    return false;
}

shunt_reader *shunt_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan)
{
    return readers[standard].make ? readers[standard].make(memory, plan) : NULL;
}

/* ---- what reads nothing ---- */

struct refusing {
    shunt_reader        reader;
    const shunt_memory *memory;
    shunt_text          detail;
    bool                told, last;
};

static void refusing_feed(shunt_reader *reader, const uint8_t *bytes, size_t size, bool last)
{
    (void)bytes, (void)size;
    ((struct refusing *)reader)->last = last;
}

static shunt_step refusing_next(shunt_reader *reader, shunt_event *event)
{
    struct refusing *r = (struct refusing *)reader;
    if (r->told) return r->last ? SHUNT_STEP_END : SHUNT_STEP_NEED_INPUT;
    r->told = true;
    *event = (shunt_event){ .step = SHUNT_STEP_FAULT, .code = SHUNT_INPUT_STANDARD, .detail = r->detail };
    return SHUNT_STEP_FAULT;
}

static void refusing_free(shunt_reader *reader) { shunt_memory_free(((struct refusing *)reader)->memory, reader); }

shunt_reader *shunt_reader_refusing(const shunt_memory *memory, shunt_text detail)
{
    static const shunt_reader_ops ops = {
        .name = "none", .ending = "txt", .feed = refusing_feed, .next = refusing_next, .free = refusing_free
    };
    struct refusing *r = shunt_memory_zeroed(memory, 1, sizeof *r);
    if (!r) return NULL;
    *r = (struct refusing){ { &ops }, memory, detail, false, false };
    return &r->reader;
}

static uint32_t asked_of(const shunt_plan *plan, shunt_standard standard)
{
    uint32_t asked = 0;
    for (uint32_t i = 0; i < plan->source_count; i++)
        if (plan->sources[i].standard == standard) asked |= plan->sources[i].snips;
    return asked;
}

static shunt_reader *validating_fhir(const shunt_memory *memory, const shunt_plan *plan, uint32_t asked)
{
    shunt_fhir_validate_options options = { .levels = asked, .version = shunt_fhir_version(SHUNT_TEXT("R4")), .plan = plan };
    return shunt_fhir_validating_reader(memory, plan, shunt_fhir_validator_new(memory, &options));
}

static shunt_reader *validating_hl7(const shunt_memory *memory, const shunt_plan *plan, uint32_t asked)
{
    shunt_hl7_options          reading = { .segments = true };
    shunt_hl7_validate_options options = { .levels = asked, .by_source = true };
    return shunt_hl7_validating_reader(memory, shunt_hl7_reader_new(memory, plan, &reading),
                                       shunt_hl7_validator_new(memory, plan, &options));
}

shunt_reader *shunt_validating_reader_for(shunt_standard standard, const shunt_memory *memory, const shunt_plan *plan,
                                          const shunt_definition_set *site)
{
    uint32_t asked = asked_of(plan, standard);
    if (asked && standard == SHUNT_STANDARD_HL7) return validating_hl7(memory, plan, asked);
    if (asked && standard == SHUNT_STANDARD_FHIR) return validating_fhir(memory, plan, asked);
    if (!asked || standard != SHUNT_STANDARD_X12) return shunt_reader_for(standard, memory, plan);
    const shunt_guide  **guides = shunt_memory_zeroed(memory, plan->guide_count + 1u, sizeof *guides);
    shunt_conditions    *conditions = shunt_memory_zeroed(memory, plan->guide_count + 1u, sizeof *conditions);
    shunt_x12_validator *validator = NULL;
    bool                 known = guides && conditions;
    for (uint32_t i = 0; known && i < plan->guide_count; i++) {
        const shunt_plan_guide  *g = &plan->guides[i];
        const shunt_plan_source *source = &plan->sources[g->source];
        if (source->standard != SHUNT_STANDARD_X12 || !source->snips) continue;
        guides[i] = shunt_definition_find(site, SHUNT_STANDARD_X12, plan->texts[g->set], plan->texts[g->version]);
        conditions[i] = shunt_definition_conditions(site, guides[i]);
        known = guides[i] != NULL;
    }
    if (known) {
        shunt_x12_validate_options options = { .snips = asked, .by_source = true, .conditions = conditions };
        validator = shunt_x12_validator_new(memory, plan, guides, &options);
    }
    /* The validator has its own copies. */
    shunt_memory_free(memory, guides);
    shunt_memory_free(memory, conditions);
    return validator ? shunt_x12_validating_reader(memory, shunt_reader_for(standard, memory, plan), validator) : NULL;
}
