/* fuzz_definition.c - any bytes as a definition of a site: a fault with its line, or a guide that rules, validation and the dictionary can use.
 * A byte 0 ends a definition, and another one begins, which may narrow the one before. */
#include <shunt/shunt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char claim[] =
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              *250301*1200*^*00501*000000001*0*T*:~"
    "GS*HC*S*R*20250301*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*B1*20250301*1200*CH~NM1*41*2*A*****46*S~"
    "PER*IC*X*TE*5550100~NM1*40*2*P*****46*R~HL*1**20*1~NM1*85*2*C*****XX*1234567893~N3*1 ST~N4*T*IL*60000~REF*EI*123456789~"
    "HL*2*1*22*0~SBR*P*18*******CI~NM1*IL*1*A*B****MI*M1~N3*1 ST~N4*T*IL*60000~DMG*D8*19700101*F~NM1*PR*2*P*****PI*P1~"
    "CLM*C1*10***11:B:1*Y*A*Y*Y~REF*G1*A1~HI*ABK:I10~LX*1~SV1*HC:99213*10*UN*1***1~DTP*472*D8*20250101~SE*22*0001~GE*1*1~"
    "IEA*1*000000001~";

static bool ignore(void *context, const void *bytes, size_t size)
{
    (void)context, (void)bytes, (void)size;
    return true;
}

static void validate(const shunt_definitions *definitions)
{
    shunt_validate_options options = { .size = sizeof options, .snip = "7", .acknowledge = ignore, .definitions = definitions };
    shunt_validator       *validator;
    if (shunt_validator_new(&options, ignore, NULL, &validator, NULL) != SHUNT_DONE) return;
    if (shunt_validator_feed(validator, claim, sizeof claim - 1, true) == SHUNT_SYSTEM_FAULT) abort();
    shunt_validator_free(validator);
}

static void inspect(const shunt_definitions *definitions)
{
    shunt_inspect_options options = { .size = sizeof options, .definitions = definitions };
    shunt_inspector      *inspector;
    if (shunt_inspector_new(&options, NULL, ignore, NULL, &inspector, NULL) != SHUNT_DONE) abort();
    if (shunt_inspector_feed(inspector, claim, sizeof claim - 1, true) == SHUNT_SYSTEM_FAULT) abort();
    shunt_inspector_free(inspector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shunt_definitions *definitions;
    size_t             taken = 0;
    if (shunt_definitions_new(NULL, &definitions) != SHUNT_DONE) abort();
    for (size_t at = 0; at < size;) {
        const uint8_t  *end = memchr(data + at, 0, size - at);
        size_t          length = end ? (size_t)(end - data) - at : size - at;
        shunt_messages *messages;
        shunt_result    result = shunt_definitions_add(definitions, "site.tsv", data + at, length, &messages);
        if (result == SHUNT_SYSTEM_FAULT) abort();
        shunt_messages_print(messages, false, ignore, NULL);
        shunt_messages_free(messages);
        taken += result == SHUNT_DONE;
        at += length + 1;
    }
    if (taken) {
        shunt_dictionary_with(definitions, "837", NULL, "2300", ignore, NULL);
        shunt_dictionary_with(definitions, "837", NULL, "CLM", ignore, NULL);
        validate(definitions);
        inspect(definitions);
    }
    shunt_definitions_free(definitions);
    return 0;
}
