/* fuzz_fhir_xml.c - any bytes as FHIR in XML, cut anywhere; the element and namespace of FHIR are put around what has no `<` at its head. */
#include "fuzz/fhir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "<Bundle xmlns=\"http://hl7.org/fhir\">";
    if (size < 3 || data[2] == '<') return fuzz_fhir(data, size);
    uint8_t *input = malloc(size + sizeof head);
    if (!input) abort();
    memcpy(input, data, 2);
    memcpy(input + 2, head, sizeof head - 1);
    memcpy(input + 2 + sizeof head - 1, data + 2, size - 2);
    fuzz_fhir(input, size + sizeof head - 1);
    free(input);
    return 0;
}
