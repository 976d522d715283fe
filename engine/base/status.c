#include "engine/base/status.h"

#include <string.h>

const struct shunt_status_info shunt_status_info[SHUNT_STATUS_COUNT] = {
#define SHUNT_STATUS(symbol, code, severity, class, meaning)                                                                     \
    [SHUNT_##symbol] = { #symbol, code, SHUNT_##severity, SHUNT_CLASS_##class, meaning },
#include "engine/base/status.def"
};

const char *shunt_severity_name(shunt_severity severity)
{
    switch (severity) {
    case SHUNT_INFORMATION: return "information";
    case SHUNT_WARNING: return "warning";
    case SHUNT_ERROR: return "error";
    }
    return "error";
}

const char *shunt_class_name(shunt_class class)
{
    switch (class) {
    case SHUNT_CLASS_NONE: return "none";
    case SHUNT_CLASS_RULES: return "rules";
    case SHUNT_CLASS_SYNTAX: return "syntax";
    case SHUNT_CLASS_STRUCTURE: return "structure";
    case SHUNT_CLASS_CODESET: return "code set";
    case SHUNT_CLASS_BALANCE: return "balance";
    case SHUNT_CLASS_REFERENCE: return "reference data";
    case SHUNT_CLASS_DUPLICATE: return "duplicate";
    case SHUNT_CLASS_BUSINESS: return "business";
    case SHUNT_CLASS_LIMIT: return "limit";
    case SHUNT_CLASS_INTERNAL: return "internal";
    }
    return "internal";
}

bool shunt_status_find(const char *code, shunt_status *status)
{
    for (int i = 0; i < SHUNT_STATUS_COUNT; i++) {
        if (strcmp(shunt_status_info[i].code, code) != 0) continue;
        *status = (shunt_status)i;
        return true;
    }
    return false;
}
