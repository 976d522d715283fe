/* fuzz_map.c - any bytes as rules: the compiler ends in bounded time and memory with messages or with a program; a program that it makes runs
 * over a small message of its standard, with machine code, without, and with lineage, all alike. Its layout is the same program. */
#include <errno.h>
#include <shunt/shunt.h>

#include "fuzz/alike.h"

static const char remittance[] =
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              *250301*1200*^*00501*000000001*0*T*:~"
    "GS*HP*S*R*20250301*1200*1*X*005010X221A1~ST*835*0001~BPR*I*15*C*ACH*CCP*01*1*DA*1*1999999999**01*1*DA*1*20250301~TRN*1*T1*"
    "1999999999~"
    "DTM*405*20250228~N1*PR*P~REF*2U*X~N1*PE*Q*XX*1234567893~LX*1~CLP*C1*1*10*8*1*12*P1*11*1~CAS*CO*45*1~CAS*PR*1*1~NM1*QC*1*A*B*"
    "***MI*M~"
    "NM1*82*1*D****XX*1234567893~MOA***N1~DTM*232*20250101~SVC*HC:99213*10*8**1~DTM*472*20250101~LQ*HE*N2~CLP*C2*22*-10*7**12*P2~"
    "PLB*1234567893*20251231*L6:P1*0~SE*24*0001~GE*1*1~IEA*1*000000001~";

static const char charges[] = "MSH|^~\\&|A|B|C|D|20250301230101-0600||DFT^P03^DFT_P03|M1|P|2.5.1\rEVN|P03|20250301\r"
                              "PID|1||1^^^G^MR~2^^^B||E^ANNA^Q||19700101|F|||1 ST^^T^IL^60000|||||||A1\rPV1|1|E|\"\"\r"
                              "FT1|1|T1||20250301|20250301|CG|99284^V^C4||||612.00&USD|5||ED^E||||||R07^P^I10\rZFT|A|1.5|||7\r"
                              "FT1|2|T2||2025|20250301|CR|\"\"||||-12||\"\"\rFT1|||||2025033|CG\rIN1|1|P|X\rIN1|2|Q|\"\"\r";
static const char bundle[] =
    "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{\"value\":\"R\"},\"entry\":[{\"fullUrl\":\"urn:p\",\"resource\":{"
    "\"resourceType\":"
    "\"Patient\",\"id\":\"p\",\"name\":[{\"family\":\"E\",\"given\":[\"A\",\"B\"]}],\"birthDate\":\"1984-07-09\"}},{\"resource\":"
    "{\"resourceType\":"
    "\"Invoice\",\"id\":\"i\",\"status\":\"issued\",\"identifier\":[{\"system\":\"urn:x\",\"value\":\"V\"}],\"subject\":{"
    "\"reference\":\"urn:p\"},\"date\":"
    "\"2025-03-01T22:10:00-06:00\",\"lineItem\":[{\"sequence\":1,\"priceComponent\":[{\"type\":\"base\",\"amount\":{\"value\":"
    "120.00,\"currency\":"
    "\"USD\"}},{\"type\":\"discount\",\"amount\":{\"value\":2e1}}]}],\"totalNet\":{\"value\":100.00,\"currency\":\"USD\"}}}]}";
static const char rows[] =
    "id,amount,a,n,m,d,ref,paid,from,to,quantity\n1,10.00,A,1,1.5,2025-01-01,R1,03/01/2025,DZ,EA,2\n"
    "2,-5,\"B \"\"q\"\"\",9223372036854775807,99999999999999.99,2024-02-29,,,KG,LB,0.000001\n,,,,,,,,,,\n1,x,y\n";

typedef struct source {
    const uint8_t *bytes;
    size_t         size;
} source;

static int read_file(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const source     *main_file = context;
    static const char table[] = "a,b\n1,2\n";
    if (strcmp(path, "main.map") != 0 && !strstr(path, ".csv")) return ENOENT;
    const void *from = strstr(path, ".csv") ? (const void *)table : main_file->bytes;
    *size = strstr(path, ".csv") ? sizeof table - 1 : main_file->size;
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return ENOMEM;
    if (*size) memcpy(*bytes, from, *size);
    return 0;
}

static bool count(void *context, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return true;
}

/* A text that grows. */
typedef struct text {
    char  *bytes;
    size_t length;
} text;

static bool append(void *context, const void *bytes, size_t size)
{
    text *t = context;
    char *more = realloc(t->bytes, t->length + size + 1);
    if (!more) return false;
    memcpy(more + t->length, bytes, size);
    t->bytes = more;
    t->length += size;
    return true;
}

/* What can be read can be laid out, and a layout is its own. */
static text laid_out(const uint8_t *data, size_t size)
{
    text         once = { 0 }, twice = { 0 };
    shunt_result result = shunt_format("main.map", data, size, NULL, append, &once, NULL);
    if (result != SHUNT_DONE && result != SHUNT_RULES_FAULT) abort();
    if (result == SHUNT_DONE) {
        if (shunt_format("main.map", once.bytes, once.length, NULL, append, &twice, NULL) != SHUNT_DONE) abort();
        if (once.length != twice.length || memcmp(once.bytes, twice.bytes, once.length) != 0) abort();
    }
    free(twice.bytes);
    return once;
}

static shunt_program *compile(const void *bytes, size_t size)
{
    source                file = { bytes, size };
    shunt_compile_options options = { .size = sizeof options, .read_file = read_file, .read_context = &file, .lints = true };
    shunt_program        *program = NULL;
    shunt_messages       *messages = NULL;
    size_t                written = 0;
    shunt_result          result = shunt_compile("main.map", &options, &program, &messages);
    if (result == SHUNT_SYSTEM_FAULT) abort();
    if ((result == SHUNT_DONE) != (program != NULL) || (result == SHUNT_DONE) != (shunt_messages_errors(messages) == 0)) abort();
    shunt_messages_print(messages, false, count, &written);
    shunt_messages_print(messages, true, count, &written);
    shunt_messages_free(messages);
    return program;
}

static void run(const shunt_program *program)
{
    static const struct {
        const char *standard, *bytes;
        size_t      size;
    } inputs[] = { { "X12", remittance, sizeof remittance - 1 },
                   { "HL7", charges, sizeof charges - 1 },
                   { "FHIR", bundle, sizeof bundle - 1 },
                   { "CSV", rows, sizeof rows - 1 },
                   { "FIXED", rows, sizeof rows - 1 } };
    if (!program->sources_count) return;
    shunt_text standard = shunt_program_text(program, program->sources[0].standard);
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (shunt_text_is(standard, inputs[i].standard)) run_alike(program, inputs[i].bytes, inputs[i].size, 100000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shunt_program *program = compile(data, size), *again;
    text           layout = laid_out(data, size);
    if (program) {
        run(program);
        again = compile(layout.bytes, layout.length);
        if (!again || memcmp(program->code_hash, again->code_hash, sizeof program->code_hash) != 0) abort();
        shunt_release(again);
    }
    free(layout.bytes);
    shunt_release(program);
    return 0;
}
