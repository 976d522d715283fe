#include "tests/support/remit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/asm.h"
#include "tests/support/plan_builder.h"

static const char plan_text[] = "guide 835 005010X221A1 005010X221 HP framed\n"
                                " ST\n"
                                " BPR get=2\n"
                                " TRN get=2\n"
                                " loop 1000A frame\n"
                                "  N1 key=1:PR get=2\n"
                                " end\n"
                                " loop 2000\n"
                                "  LX\n"
                                "  loop 2100 frame unit\n"
                                "   CLP get=1,2,3,4\n"
                                "   CAS group=2/3/6 get=+0,+1\n"
                                "   NM1\n"
                                "   loop 2110\n"
                                "    SVC\n"
                                "    DTM\n"
                                "    CAS\n"
                                "    AMT\n"
                                "   end\n"
                                "  end\n"
                                " end\n"
                                " PLB\n"
                                " SE\n";

static const char head[] =
    "record work_fields claim:text amount:usd2 nth:int note?:text\n"
    "record gl_header origin:text\n"
    "record gl_line reason?:text\n"
    "record by_status_row key:text total:usd2\n"
    "frame CAS group CAS02:text CAS03:dec2\n"
    "frame 2100 loop unit CLP01:text CLP02:text CLP03:dec2 CLP04:dec2 > CAS\n"
    "frame 1000A loop N102:text\n"
    "frame set set BPR02:dec2 TRN02:text > 1000A 2100\n"
    "code R_CODE\ncode Q_CODE\ncode T_CODE\ncode B_CODE\ncode F_CODE\ncode W_CODE\ncode TOTAL\ncode E_RULE\ncode E_SYNTAX\n"
    "exit skip unit -\nexit reject unit R_CODE\nexit quarantine unit Q_CODE\nexit quarantine transaction T_CODE\nexit quarantine "
    "batch B_CODE\n"
    "exit quarantine file F_CODE\nexit warn unit W_CODE\nexit quarantine transaction TOTAL\nexit quarantine unit E_RULE\n"
    "exit quarantine transaction E_SYNTAX\n"
    "target work work_fields key=0,2\n"
    "target gl gl_header journal line=gl_line\n"
    "tally paid_total usd2\n"
    "tally by_status usd2 by=by_status_row\n"
    "tally payment usd2\n"
    "function paid 1 usd2 : node:2100 usd2\n"
    " GET 1 0 CLP04\n"
    " RETURN 1\n"
    "function pays 1 usd2 : node:set usd2\n"
    " GET 1 0 BPR02\n"
    " RETURN 1\n"
    "function early 1 none : node:set text\n"
    " GET_TEXT 1 0 TRN02\n"
    " CORRELATE 1 1\n"
    " FINISH\n"
    "function at_end 1 none : node:set usd2 usd2 bool text\n"
    " GET 1 0 BPR02\n"
    " TALLY_GET 2 paid_total\n"
    " DEC_EQ 3 1 2\n"
    " JUMP_TRUE 3 @fine\n"
    " EXIT 7 4\n"
    "fine:\n"
    " FINISH\n"
    "function at_file_end 0 none : bool\n"
    " FINISH\n"
    "function claim 1 none : node:2100 text text bool usd2 int text usd2 int text text usd2 text text text text text node:CAS\n"
    " GET_TEXT 1 0 CLP01\n"
    " GET_TEXT 2 0 CLP02\n"
    " LOADK 14 \"as the claim says\"\n"
    " LOADK 5 int:1\n";

enum { EXIT_E_RULE = 8, EXIT_E_SYNTAX = 9, EXIT_REJECT = 1, EXIT_FILE = 5 };

/* What stands under `if CLP02 = letter`. */
static const struct branch {
    char        letter;
    const char *code;
} early_branches[] = {
    { 'S', " EXIT 0 13\n" }, { 'R', " EXIT 1 13\n" }, { 'Q', " EXIT 2 14\n" },  { 'T', " EXIT 3 14\n" },            { 'B', " EXIT 4 13\n" },
    { 'F', " EXIT 5 13\n" }, { 'N', " FINISH\n" },    { 'W', " WARN 6 14\n" },  { 'X', " WARN 6 14\n EXIT 2 14\n" }, { 'O', " OCCURRENCE 5 1 1\n" },
}, late_branches[] = {
    { 'J', " JOURNAL gl 1\n LOADK 15 \"835\"\n LOADK 10 \"1015\"\n MOVE 11 4\n LINE 10 0\n LOADK 10 \"1200\"\n LOADK 12 \"45\"\n LINE 10 1\n POST 15 1 1\n FINISH\n" },
    { 'Z', " JOURNAL gl 1\n LOADK 15 \"835\"\n LOADK 10 \"1015\"\n LOADK 11 usd2:0.00\n LINE 10 0\n LINE 10 1\n POST 15 1 1\n FINISH\n" },
    { 'A', " CHILD_FIRST 17 0 0\n MOVE 6 1\n GET 7 17 CAS03\n LOADK 8 int:99\n GET_TEXT 9 17 CAS02\n EMIT work 6\n ABSENT 9\n" },
    { 'K', " MOVE 6 1\n MOVE 7 4\n MOVE 8 5\n EMIT work 6\n" },
};

static void put_branches(shunt_buffer *out, const struct branch *branches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        shunt_buffer_format(out, " TEXT_IS 3 2 \"%c\"\n JUMP_FALSE 3 @not_%c\n%snot_%c:\n", branches[i].letter,
                            branches[i].letter, branches[i].code, branches[i].letter);
}

static void put_source(shunt_buffer *out)
{
    shunt_buffer_z(out, head);
    put_branches(out, early_branches, SHUNT_COUNT(early_branches));
    shunt_buffer_z(out, " GET 4 0 CLP04\n TALLY_ADD by_status 4 2\n");
    put_branches(out, late_branches, SHUNT_COUNT(late_branches));
    shunt_buffer_z(out, " MOVE 6 1\n MOVE 7 4\n MOVE 8 5\n EMIT work 6\n FINISH\n");
    shunt_buffer_char(out, 0);
}

/* ---- the half that a compiler would make: guides, maps, places ---- */

struct whole {
    shunt_program    p;
    shunt_text       texts[1024];
    shunt_plan_guide guide;
    shunt_plan_loop  loops[16];
    shunt_plan_node  nodes[32];
    shunt_map_entry  map;
    shunt_handler    handler;
    shunt_tally      tallies[3];
    shunt_exit       exits[16];
    shunt_code       codes[16];
    shunt_site       sites[512];
    uint32_t         instruction_sites[512];
    shunt_module     module;
};

static uint16_t add_text(struct whole *w, shunt_text text)
{
    w->texts[w->p.texts_count] = text;
    return (uint16_t)w->p.texts_count++;
}

static uint16_t frame_like(const shunt_program *p, shunt_text id)
{
    if (!id.length) id = SHUNT_TEXT("set");
    for (uint32_t i = 0; i < p->frames_count; i++)
        if (shunt_text_equal(p->texts[p->frames[i].id], id)) return (uint16_t)i;
    abort();
}

/* The guide of the builder over the frames of the assembler: ids are the same, their order is not. */
static void take_plan(struct whole *w, const shunt_plan *plan)
{
    w->guide = plan->guides[0];
    w->guide.set = add_text(w, plan->texts[w->guide.set]);
    w->guide.version = add_text(w, plan->texts[w->guide.version]);
    w->guide.family = add_text(w, plan->texts[w->guide.family]);
    w->guide.functional_id = add_text(w, plan->texts[w->guide.functional_id]);
    for (uint32_t i = 0; i < plan->loop_count; i++) {
        w->loops[i] = plan->loops[i];
        w->loops[i].id = add_text(w, plan->texts[plan->loops[i].id]);
        if (w->loops[i].frame != SHUNT_NONE)
            w->loops[i].frame = frame_like(&w->p, plan->texts[plan->frames[w->loops[i].frame].id]);
    }
    for (uint32_t i = 0; i < plan->node_count; i++) {
        w->nodes[i] = plan->nodes[i];
        if (w->nodes[i].frame != SHUNT_NONE)
            w->nodes[i].frame = frame_like(&w->p, plan->texts[plan->frames[w->nodes[i].frame].id]);
    }
    w->p.plan_sources = plan->sources, w->p.plan_sources_count = plan->source_count;
    w->p.guides = &w->guide, w->p.guides_count = 1;
    w->p.loops = w->loops, w->p.loops_count = plan->loop_count;
    w->p.nodes = w->nodes, w->p.nodes_count = plan->node_count;
    w->p.keys = plan->keys, w->p.keys_count = plan->key_count;
    w->p.ids = plan->ids, w->p.ids_count = plan->id_count;
    w->p.dispatch = plan->dispatch, w->p.dispatch_count = plan->dispatch_count;
    w->p.choices = plan->choices, w->p.choices_count = plan->choice_count;
    w->p.demands = plan->demands, w->p.demands_count = plan->demand_count;
}

static void add_places(struct whole *w)
{
    uint16_t file = add_text(w, SHUNT_TEXT("remit.map")), step = add_text(w, SHUNT_TEXT("as told"));
    w->module = (shunt_module){ .name = add_text(w, SHUNT_TEXT("test.remit")),
                                .version = add_text(w, SHUNT_TEXT("1.0.0")),
                                .file = file };
    for (uint32_t i = 0; i < w->p.instructions_count; i++) {
        w->sites[i + 1] = (shunt_site){ .file = file, .step = i % 2 ? step : SHUNT_NONE, .line = i + 1, .column = 3 };
        w->instruction_sites[i] = i + 1;
    }
    w->p.sites = w->sites, w->p.sites_count = w->p.instructions_count + 1;
    w->p.instruction_sites = w->instruction_sites, w->p.instruction_sites_count = w->p.instructions_count;
    w->p.modules = &w->module, w->p.modules_count = 1;
}

static void add_rules(struct whole *w, unsigned flags)
{
    uint16_t queue = add_text(w, SHUNT_TEXT("work-list")), meaning = add_text(w, SHUNT_TEXT("something is wrong")),
             ack = add_text(w, SHUNT_TEXT("999:R"));
    for (uint32_t i = 0; i < w->p.codes_count; i++) {
        w->codes[i] = w->p.codes[i];
        w->codes[i].meaning = meaning;
        *(i ? &w->codes[i].queue : &w->codes[i].ack) = i ? queue : ack;
    }
    for (uint32_t i = 0; i < w->p.exits_count; i++) w->exits[i] = w->p.exits[i];
    for (uint32_t i = 0; i < 3; i++) w->tallies[i] = w->p.tallies[i];
    w->tallies[0].declared = 1;
    w->tallies[0].frame = frame_like(&w->p, SHUNT_TEXT("2100"));
    w->tallies[0].function = asm_function(&w->p, "paid");
    w->tallies[2].declared = 1;
    w->tallies[2].frame = frame_like(&w->p, SHUNT_TEXT("set"));
    w->tallies[2].function = asm_function(&w->p, "pays");
    uint16_t source_error = flags & REMIT_UNIT_SYNTAX ? EXIT_REJECT : flags & REMIT_FILE_SYNTAX ? EXIT_FILE : EXIT_E_SYNTAX;
    w->map = (shunt_map_entry){ .name = add_text(w, SHUNT_TEXT("post")),
                                .at_start = SHUNT_NONE,
                                .early = asm_function(&w->p, "early"),
                                .late = SHUNT_NONE,
                                .at_end = asm_function(&w->p, "at_end"),
                                .at_end_batch = SHUNT_NONE,
                                .at_end_file = flags & REMIT_FILE ? asm_function(&w->p, "at_file_end") : SHUNT_NONE,
                                .on_error = flags & REMIT_NO_EXITS ? SHUNT_NONE : EXIT_E_RULE,
                                .source_error = flags & REMIT_NO_EXITS ? SHUNT_NONE : source_error,
                                .widest = flags & REMIT_FILE    ? SHUNT_SCOPE_FILE
                                          : flags & REMIT_BATCH ? SHUNT_SCOPE_BATCH
                                                                : SHUNT_SCOPE_TRANSACTION };
    w->handler = (shunt_handler){ .frame = w->tallies[0].frame, .function = asm_function(&w->p, "claim") };
    w->p.codes = w->codes;
    w->p.exits = w->exits;
    w->p.tallies = w->tallies;
    w->p.maps = &w->map, w->p.maps_count = 1;
    w->p.handlers = &w->handler, w->p.handlers_count = 1;
}

void remit_save(unsigned flags, shunt_buffer *out)
{
    shunt_buffer source;
    shunt_buffer_init(&source, &shunt_memory_libc);
    put_source(&source);
    shunt_program       *assembled = asm_load(source.bytes);
    struct plan_builder *builder = plan_build(plan_text);
    struct whole        *w = calloc(1, sizeof *w);
    if (!w || assembled->texts_count > 900) abort();
    w->p = *assembled;
    memcpy(w->texts, assembled->texts, assembled->texts_count * sizeof *w->texts);
    w->p.texts = w->texts;
    shunt_plan_slot *slots = calloc(assembled->slots_count, sizeof *slots);
    if (!slots) abort();
    memcpy(slots, assembled->slots, assembled->slots_count * sizeof *slots);
    for (uint32_t i = 0; i < assembled->slots_count; i++) {
        slots[i].early = shunt_text_is(assembled->texts[slots[i].path], "TRN02");
        slots[i].required = shunt_text_is(assembled->texts[slots[i].path], "CLP04");
    }
    w->p.slots = slots;
    take_plan(w, plan_of(builder));
    add_places(w);
    add_rules(w, flags);
    if (shunt_program_save(&w->p, out) != SHUNT_OK) abort();
    free(slots);
    free(w);
    plan_free(builder);
    shunt_program_free(assembled);
    shunt_buffer_done(&source);
}

shunt_program *remit_program(unsigned flags)
{
    shunt_buffer   bytes;
    shunt_program *program;
    char           why[200];
    shunt_buffer_init(&bytes, &shunt_memory_libc);
    remit_save(flags, &bytes);
    if (shunt_program_load(&shunt_memory_libc, (const uint8_t *)bytes.bytes, bytes.length, &program, why) != SHUNT_OK) {
        fprintf(stderr, "remit: %s\n", why);
        abort();
    }
    shunt_buffer_done(&bytes);
    return program;
}

/* ---- messages ---- */

static long cents(const char *amount)
{
    double value = strtod(amount, NULL); /* small test amounts only */
    return (long)(value * 100 + (value < 0 ? -0.5 : 0.5));
}

/* `claim ID STATUS AMOUNT`? Of the line alone: sscanf measures all that it is given. */
static bool claim_line(const char *line, char id[static 40], char status[static 8], char amount[static 40])
{
    char   copy[100];
    size_t length = strcspn(line, "\n");
    snprintf(copy, sizeof copy, "%.*s", (int)(length < 99 ? length : 99), line);
    return sscanf(copy, "claim %39s %7s %39s", id, status, amount) == 3;
}

static long sum_of_claims(const char *body)
{
    long sum = 0;
    for (const char *line = body; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char id[40], status[8], amount[40];
        if (claim_line(line, id, status, amount)) sum += cents(amount);
    }
    return sum;
}

static unsigned put_body(shunt_buffer *out, const char *body, unsigned number)
{
    unsigned segments = 0;
    bool     header = false;
    long     sum = sum_of_claims(body);
    for (const char *line = body; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char   id[40], status[8], amount[40];
        size_t length = strcspn(line, "\n");
        if (!claim_line(line, id, status, amount)) {
            shunt_buffer_add(out, line, length);
            for (size_t i = 0; i < length; i++) segments += line[i] == '~';
            continue;
        }
        if (!header && strncmp(body, "BPR", 3) != 0) {
            shunt_buffer_format(out, "BPR*I*%ld.%02ld~TRN*1*T%u~LX*1~", sum / 100, labs(sum % 100), number);
            segments += 3;
        }
        header = true;
        shunt_buffer_format(out, "CLP*%s*%s*100*%s~", id, status, amount);
        segments++;
    }
    return segments;
}

char *remit_message(const char *const *sets)
{
    shunt_buffer out;
    unsigned     number = 0;
    shunt_buffer_init(&out, &shunt_memory_libc);
    shunt_buffer_z(&out,
                   "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *250301*1200*^*00501*000000001*0*T*:~"
                   "GS*HP*PAYER*CLINIC*20250301*1200*1*X*005010X221A1~");
    for (; *sets[number]; number++) {
        shunt_buffer_format(&out, "ST*835*%04u~", number + 1);
        unsigned segments = put_body(&out, sets[number], number + 1);
        shunt_buffer_format(&out, "SE*%u*%04u~", segments + 2, number + 1);
    }
    shunt_buffer_format(&out, "GE*%u*1~IEA*1*000000001~", number);
    shunt_buffer_char(&out, 0);
    return out.bytes;
}
