/* fuzz_fhir_json.c - any bytes as FHIR, cut anywhere: JSON, NDJSON, and what is neither. */
#include "fuzz/fhir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_fhir(data, size); }
