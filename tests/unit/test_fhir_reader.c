#include "standards/fhir/reader.h"

#include <check.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlmemory.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/event_log.h"
#include "tests/support/test_memory.h"
#include "tests/support/tree_plan.h"
#include "tests/support/tree_text.h"

#define INPUT(literal) literal, sizeof(literal) - 1

static const char invoices[] = "guide Bundle framed\n"
                               "id\n"
                               "type\n"
                               "loop identifier\n"
                               "value\n"
                               "end\n"
                               "loop entry\n"
                               "loop resource unit type=Invoice\n"
                               "resourceType\n"
                               "id\n"
                               "status\n"
                               "loop totalNet\n"
                               "value decimal\n"
                               "currency\n"
                               "end\n"
                               "loop lineItem frame\n"
                               "sequence\n"
                               "end\n"
                               "end\n"
                               "loop resource unit type=Claim\n"
                               "id\n"
                               "end\n"
                               "end\n";

static const char references[] = "guide Bundle framed window=400\n"
                                 "id\n"
                                 "loop entry\n"
                                 "loop resource unit type=Claim\n"
                                 "id\n"
                                 "loop patient frame\n"
                                 "reference\n"
                                 "loop resolve() frame type=Patient\n"
                                 "id\n"
                                 "gender\n"
                                 "end\n"
                                 "end\n"
                                 "end\n"
                                 "end\n";

static const char lists[] = "guide Patient framed\n"
                            "id\n"
                            "birthDate\n"
                            "loop _birthDate frame\n"
                            "id\n"
                            "loop extension frame\n"
                            "url\n"
                            "valueCode\n"
                            "end\n"
                            "end\n"
                            "loop name frame\n"
                            "family\n"
                            "loop given frame\n"
                            "value item\n"
                            "end\n"
                            "loop _given frame\n"
                            "loop extension frame\n"
                            "valueString\n"
                            "end\n"
                            "end\n"
                            "end\n";

static const struct {
    const char *name, *plan, *input;
    size_t      size;
    const char *events;
} cases[] = {
    { "a Bundle", invoices,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{\"system\":\"s\",\"value\":\"v\"},\"type\":\"collecti"
            "on\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}},{\"resource\":{\"resourceType\":\"In"
            "voice\",\"id\":\"i\",\"status\":\"issued\",\"totalNet\":{\"value\":1.50,\"currency\":\"USD\"},\"lineItem\":[{\""
            "sequence\":1},{\"sequence\":2e0}]}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "value 2 v\n"
      "value 1 collection\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 i\n"
      "value 2 issued\n"
      "value 3 1.50\n"
      "value 4 USD\n"
      "enter lineItem\n"
      "value 0 1\n"
      "leave lineItem\n"
      "enter lineItem\n"
      "value 0 2e0\n"
      "leave lineItem\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "type late in the entry", invoices,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{},\"type\":\"t\",\"entry\":[{\"resource\":{\"id\":\"i"
            "\",\"lineItem\":[{\"sequence\":1}],\"resourceType\":\"Invoice\",\"status\":\"x\"}},{\"resource\":{\"id\":\"p\","
            "\"resourceType\":\"Patient\",\"status\":\"y\"}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "value 1 t\n"
      "enter resource\n"
      "value 1 i\n"
      "enter lineItem\n"
      "value 0 1\n"
      "leave lineItem\n"
      "value 0 Invoice\n"
      "value 2 x\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "type late at the root", invoices,
      INPUT("{\"id\":\"b\",\"identifier\":{},\"type\":\"t\",\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"id\":\"i"
            "\",\"resourceType\":\"Invoice\"}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "value 1 t\n"
      "enter resource\n"
      "value 1 i\n"
      "value 0 Invoice\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "sorted names", invoices,
      INPUT("{\"entry\":[{\"resource\":{\"id\":\"i\",\"resourceType\":\"Invoice\"}}],\"id\":\"b\",\"resourceType\":\"Bundle\""
            ",\"type\":\"t\"}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "value 1 t\n"
      "enter resource\n"
      "value 1 i\n"
      "value 0 Invoice\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "fields of the Bundle come late", invoices,
      INPUT("{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Invoice\",\"id\":\"i\"}},{\"resource\""
            ":{\"resourceType\":\"Claim\",\"id\":\"c\"}}],\"type\":\"t\",\"identifier\":{\"value\":\"v\"},\"id\":\"b\"}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 1 t\n"
      "value 2 v\n"
      "value 0 b\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 i\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 c\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a resource alone", invoices, INPUT("{\"resourceType\":\"Invoice\",\"id\":\"i\",\"status\":\"s\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 i\n"
      "value 2 s\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a resource alone, its type last", invoices, INPUT(" {\"id\":\"i\",\"status\":\"s\",\"resourceType\":\"Claim\"} "),
      "begin transaction Claim guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 i\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a resource alone that nobody wants", invoices, INPUT("{\"resourceType\":\"Patient\",\"id\":\"i\"}"),
      "begin transaction Patient guide 0 4.0.1 #\n"
      "finish transaction\n"
      "end\n" },
    { "lines", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"1\"}\n"
            "\n"
            "\r\n"
            "{\"resourceType\":\"Patient\"}\n"
            "{\"resourceType\":\"Claim\",\"id\":\"3\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 1\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Patient guide 0 4.0.1 #\n"
      "finish transaction\n"
      "begin transaction Claim guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 3\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "one behind the other", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"1\"}{\"resourceType\":\"Claim\",\"id\":\"2\"}\n"
            "{\n"
            "\"resourceType\":\"Claim\",\n"
            "\"id\":\"3\"}\n"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 1\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Claim guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 2\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Claim guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 3\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a broken line", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"1\"}\n"
            "{\"resourceType\":\"Invoice\",\"id\":tru}\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"3\"}\n"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 1\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (lexical error: invalid string in json text.)\n"
      "abandon transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 3\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "the first line is broken", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":tru}\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"2\"}\n"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (lexical error: invalid string in json text.)\n"
      "abandon transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 2\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a line ends early", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"1\"}\n"
            "{\"resourceType\":\"Invoice\",\"id\":\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"3\"}\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"4"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 1\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_TRUNCATED (the line ends inside the resource)\n"
      "abandon transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 3\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_TRUNCATED\n"
      "abandon transaction\n"
      "end\n" },
    { "rubbish between lines", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"1\"}\n"
            "rubbish\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"3\"}\n"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 1\n"
      "leave resource\n"
      "finish transaction\n"
      "fault FHIR_TRAILING\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 3\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "rubbish behind a resource", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"1\"} ]\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"2\"}\n"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 1\n"
      "leave resource\n"
      "fault FHIR_TRAILING\n"
      "abandon transaction\n"
      "end\n" },
    { "a list of resources", invoices,
      INPUT("[\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"1\"},\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"2\"}\n"
            "]\n"),
      "fault FHIR_ROOT\n"
      "end\n" },
    { "the error is on a further line", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\n"
            "\"id\" 1}\n"
            "{\"resourceType\":\"Invoice\",\"id\":\"2\"}\n"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (parse error: object key and value must be separated by a colon (':'))\n"
      "abandon transaction\n"
      "end\n" },
    { "ends inside", invoices,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"entry\":[{\"resource\":{\"resourceType\":\"Invoice\",\"id\":\"i\"}}"
            ","),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "fault FHIR_TRUNCATED\n"
      "abandon transaction\n"
      "end\n" },
    { "a name stands twice", invoices,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{},\"type\":\"t\",\"entry\":[{\"resource\":{\"resource"
            "Type\":\"Invoice\",\"id\":\"i\",\"id\":\"j\"}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "value 1 t\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 i\n"
      "fault FHIR_KEY_TWICE\n"
      "value 1 j\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a name stands twice before the type", invoices, INPUT("{\"x\":1,\"x\":1,\"resourceType\":\"Invoice\",\"id\":\"i\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "fault FHIR_KEY_TWICE\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 i\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "a resource without type", invoices,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{},\"type\":\"t\",\"entry\":[{\"resource\":{\"id\":\"i"
            "\"}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "value 1 t\n"
      "fault FHIR_NO_TYPE\n"
      "finish transaction\n"
      "end\n" },
    { "no type at all", invoices, INPUT("{\"id\":\"i\"}\n"),
      "fault FHIR_NO_TYPE\n"
      "end\n" },
    { "empty and null", invoices, INPUT("{\"resourceType\":\"Invoice\",\"id\":\"\",\"status\":null}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_EMPTY\n"
      "fault FHIR_NULL\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "escapes", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"id\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\ud83d\\ude00z\",\"st\\u0061tu"
            "s\":\"x\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 a\"\\/\x08\x0c\n"
      "\r\tA\xc3\xa9\xf0\x9f\x98\x80z\n"
      "value 2 x\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "half a pair of surrogates", invoices, INPUT("{\"resourceType\":\"Invoice\",\"id\":\"a\\ud83dx\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (escape is not valid, or half of a surrogate pair)\n"
      "abandon transaction\n"
      "end\n" },
    { "no UTF-8", invoices, INPUT("{\"resourceType\":\"Invoice\",\"id\":\"a\xc0\xaf\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (bytes are not UTF-8)\n"
      "abandon transaction\n"
      "end\n" },
    { "a form feed", invoices, INPUT("{\"resourceType\":\"Invoice\",\x0c\"id\":\"a\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (control character)\n"
      "abandon transaction\n"
      "end\n" },
    { "a tab in a string", invoices, INPUT("{\"resourceType\":\"Invoice\",\"id\":\"a\tb\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_JSON (control character)\n"
      "abandon transaction\n"
      "end\n" },
    { "a byte order mark", invoices, INPUT("\xef\xbb\xbf{\"resourceType\":\"Invoice\",\"id\":\"a\"}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 1 a\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "UTF-16", invoices,
      INPUT("\xff\xfe{\x00\"\x00r\x00"
            "e\x00s\x00o\x00u\x00r\x00"
            "c\x00"
            "e\x00T\x00y\x00p\x00"
            "e\x00\"\x00:\x00\"\x00I\x00"
            "n\x00v\x00o\x00i\x00"
            "c\x00"
            "e\x00\"\x00}\x00"),
      "fault FHIR_NOT_FHIR (UTF-16)\n"
      "end\n" },
    { "gzip", invoices,
      INPUT("\x1f\x8b\x08\x00"
            "abc"),
      "fault FHIR_NOT_FHIR (gzip)\n"
      "end\n" },
    { "nothing", invoices, INPUT(" \n"),
      "fault FHIR_NOT_FHIR (empty)\n"
      "end\n" },
    { "too deep", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "fault FHIR_DEEP\n"
      "abandon transaction\n"
      "end\n" },
    { "numbers as written", invoices,
      INPUT("{\"resourceType\":\"Invoice\",\"totalNet\":{\"value\":-0.00}}{\"resourceType\":\"Invoice\",\"totalNet\":{\"valu"
            "e\":1E-2}}{\"resourceType\":\"Invoice\",\"totalNet\":{\"value\":100000000000000000000.10}}"),
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 3 -0.00\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 3 1E-2\n"
      "leave resource\n"
      "finish transaction\n"
      "begin transaction Invoice guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 Invoice\n"
      "value 3 100000000000000000000.10\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "values of primitives, and beside them", lists,
      INPUT("{\"resourceType\":\"Patient\",\"birthDate\":\"1970\",\"_birthDate\":{\"id\":\"q\",\"extension\":[{\"url\":\"u\""
            ",\"valueCode\":\"c\"}]},\"name\":[{\"family\":\"F\",\"given\":[\"a\",null,\"b\"],\"_given\":[null,{\"extension\""
            ":[{\"valueString\":\"x\"}]},null]}]}"),
      "begin transaction Patient guide 0 4.0.1 #\n"
      "value 1 1970\n"
      "enter _birthDate\n"
      "value 0 q\n"
      "enter extension\n"
      "value 0 u\n"
      "value 1 c\n"
      "leave extension\n"
      "leave _birthDate\n"
      "enter name\n"
      "value 0 F\n"
      "enter given\n"
      "value 0 a\n"
      "leave given\n"
      "enter given\n"
      "value 0 b\n"
      "leave given\n"
      "enter _given\n"
      "enter extension\n"
      "value 0 x\n"
      "leave extension\n"
      "leave _given\n"
      "leave name\n"
      "finish transaction\n"
      "end\n" },
    { "not in any source", lists,
      INPUT("{\"resourceType\":\"Claim\",\"id\":\"c\"}\n"
            "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n"),
      "begin transaction Claim guide -1  #\n"
      "fault FHIR_UNMAPPED\n"
      "finish transaction\n"
      "begin transaction Patient guide 0 4.0.1 #\n"
      "value 0 p\n"
      "finish transaction\n"
      "end\n" },
    { "references", references,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"entry\":[{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resour"
            "ceType\":\"Patient\",\"id\":\"1\",\"gender\":\"f\"}},{\"fullUrl\":\"urn:uuid:2\",\"resource\":{\"resourceType\""
            ":\"Patient\",\"id\":\"2\"}},{\"fullUrl\":\"http://a/Claim/3\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\""
            "3\",\"patient\":{\"reference\":\"Patient/1\"}}},{\"resource\":{\"id\":\"4\",\"patient\":{\"reference\":\"urn:uu"
            "id:2\"},\"resourceType\":\"Claim\"},\"fullUrl\":\"http://a/Claim/4\"},{\"fullUrl\":\"http://b/Claim/5\",\"resou"
            "rce\":{\"resourceType\":\"Claim\",\"id\":\"5\",\"patient\":{\"reference\":\"Patient/1\"}}},{\"fullUrl\":\"http:"
            "//a/Claim/6\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"6\",\"patient\":{\"reference\":\"#p\"},\"contai"
            "ned\":[{\"resourceType\":\"Patient\",\"id\":\"p\",\"gender\":\"m\"}]}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "enter resource\n"
      "value 0 3\n"
      "enter patient\n"
      "value 0 Patient/1\n"
      "enter resolve()\n"
      "value 0 1\n"
      "value 1 f\n"
      "leave resolve()\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 4\n"
      "enter patient\n"
      "value 0 urn:uuid:2\n"
      "enter resolve()\n"
      "value 0 2\n"
      "leave resolve()\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 5\n"
      "enter patient\n"
      "value 0 Patient/1\n"
      "fault FHIR_REF_WINDOW\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 6\n"
      "enter patient\n"
      "value 0 #p\n"
      "enter resolve()\n"
      "value 0 p\n"
      "value 1 m\n"
      "leave resolve()\n"
      "leave patient\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "references that lead nowhere", references,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"entry\":[{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resour"
            "ceType\":\"Patient\",\"id\":\"1\",\"gender\":\"f\"}},{\"fullUrl\":\"http://a/Claim/2\",\"resource\":{\"resource"
            "Type\":\"Claim\",\"id\":\"2\",\"patient\":{\"reference\":\"Patient/9\"}}},{\"fullUrl\":\"http://a/Claim/3\",\"r"
            "esource\":{\"resourceType\":\"Claim\",\"id\":\"3\",\"patient\":{\"reference\":\"Patient/1/_history/2\"}}},{\"fu"
            "llUrl\":\"http://a/Claim/4\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"4\",\"patient\":{\"display\":\"x"
            "\"}}},{\"fullUrl\":\"http://a/Patient/1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\""
            "m\"}},{\"fullUrl\":\"http://a/Claim/5\",\"resource\":{\"resourceType\":\"Claim\",\"id\":\"5\",\"patient\":{\"re"
            "ference\":\"http://a/Patient/1\"}}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "enter resource\n"
      "value 0 2\n"
      "enter patient\n"
      "value 0 Patient/9\n"
      "fault FHIR_REF_WINDOW\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 3\n"
      "enter patient\n"
      "value 0 Patient/1/_history/2\n"
      "fault FHIR_REF_WINDOW\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 4\n"
      "enter patient\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 5\n"
      "enter patient\n"
      "value 0 http://a/Patient/1\n"
      "fault FHIR_REF_TWICE\n"
      "leave patient\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "beyond the window", references,
      INPUT("{\"resourceType\":\"Bundle\",\"id\":\"b\",\"entry\":[{\"fullUrl\":\"urn:uuid:1\",\"resource\":{\"resourceType\""
            ":\"Patient\",\"id\":\"1\"}},{\"resource\":{\"resourceType\":\"Claim\",\"id\":\"2\",\"patient\":{\"reference\":\""
            "urn:uuid:1\"},\"x\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxx\"}},{\"resource\":{\"resourceType\":\"Claim\",\"id\":\"3\",\"patient\":{\"reference\":\"urn:uuid:1\"}"
            "}}]}"),
      "begin transaction Bundle guide 0 4.0.1 #\n"
      "value 0 b\n"
      "enter resource\n"
      "value 0 2\n"
      "enter patient\n"
      "value 0 urn:uuid:1\n"
      "enter resolve()\n"
      "value 0 1\n"
      "leave resolve()\n"
      "leave patient\n"
      "leave resource\n"
      "enter resource\n"
      "value 0 3\n"
      "enter patient\n"
      "value 0 urn:uuid:1\n"
      "fault FHIR_REF_WINDOW\n"
      "leave patient\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
    { "lines refer to lines", references,
      INPUT("{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":\"f\"}\n"
            "{\"resourceType\":\"Claim\",\"id\":\"2\",\"patient\":{\"reference\":\"Patient/1\"}}\n"),
      "begin transaction Patient guide 0 4.0.1 #\n"
      "finish transaction\n"
      "begin transaction Claim guide 0 4.0.1 #\n"
      "enter resource\n"
      "value 0 2\n"
      "enter patient\n"
      "value 0 Patient/1\n"
      "enter resolve()\n"
      "value 0 1\n"
      "value 1 f\n"
      "leave resolve()\n"
      "leave patient\n"
      "leave resource\n"
      "finish transaction\n"
      "end\n" },
};

static uint64_t hash_of(const struct tree_plan *plan, const shunt_fhir_options *o, const void *bytes, size_t size, size_t step)
{
    struct event_log  log;
    const shunt_plan *p = tree_plan_of(plan);
    event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, p, o), p, bytes, size, event_log_cut_fixed, &step,
                  EVENT_LOG_PLACES, false);
    return log.hash;
}

static void check_events(const struct tree_plan *plan, const shunt_fhir_options *o, const char *name, const void *bytes,
                         size_t size, size_t step, const char *events)
{
    struct event_log  log;
    const shunt_plan *p = tree_plan_of(plan);
    event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, p, o), p, bytes, size, event_log_cut_fixed, &step, 0, true);
    ck_assert_msg(strcmp(log.text, events) == 0, "%s, pieces of %zu:\n%.1500s", name, step, log.text);
    event_log_done(&log);
}

START_TEST(same_events_at_every_cut)
{
    struct tree_plan *plan = tree_plan_build(cases[_i].plan);
    size_t            size = cases[_i].size;
    uint64_t          hash = hash_of(plan, NULL, cases[_i].input, size, size + 1);
    for (size_t step = 1; step <= size; step++) {
        check_events(plan, NULL, cases[_i].name, cases[_i].input, size, step, cases[_i].events);
        ck_assert_msg(hash_of(plan, NULL, cases[_i].input, size, step) == hash, "%s: places, pieces of %zu", cases[_i].name,
                      step);
    }
    tree_plan_free(plan);
}
END_TEST

struct two {
    size_t first;
    bool   second;
};

static size_t cut_once(void *context, size_t left)
{
    struct two *two = context;
    if (two->second) return left;
    two->second = true;
    return two->first;
}

START_TEST(same_events_for_two_pieces)
{
    struct tree_plan *plan = tree_plan_build(cases[_i].plan);
    const shunt_plan *p = tree_plan_of(plan);
    size_t            size = cases[_i].size;
    uint64_t          hash = hash_of(plan, NULL, cases[_i].input, size, size + 1);
    for (size_t first = 1; first < size; first++) {
        struct event_log log;
        struct two       two = { first, false };
        event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, p, NULL), p, cases[_i].input, size, cut_once, &two,
                      EVENT_LOG_PLACES, false);
        ck_assert_msg(log.hash == hash, "%s: cut at %zu", cases[_i].name, first);
    }
    tree_plan_free(plan);
}
END_TEST

/* A place names the bytes that the value was read from. */
START_TEST(places)
{
    static const char *const inputs[] = {
        "{\"resourceType\":\"Invoice\",\"id\":\"a\\\"b\\\\\", \"status\" : \"plain\",\"totalNet\":{\"value\": -1.50 "
        ",\"currency\":\"\\\\\"}}",
        "\xef\xbb\xbf{\"id\":\"late\",\"status\":\"\\u0041\",\"resourceType\":\"Invoice\",\"totalNet\":{\"value\":1e2}}",
        "<?xml version='1.0'?>\n<Invoice xmlns='http://hl7.org/fhir'><id value='x&amp;y'/><status  value = \"a&#x41;\"  "
        "/><totalNet>"
        "<value value=' 1.5 '/><currency value='USD'/></totalNet></Invoice>",
        " <f:Invoice xmlns:f=\"http://hl7.org/fhir\"><f:status id=\"q\" value=\"a\nb\"></f:status></f:Invoice>\n",
    };
    static const char *const wanted[][6] = {
        { "Invoice", "a\\\"b\\\\", "plain", "-1.50", "\\\\" },
        { "late", "\\u0041", "Invoice", "1e2" },
        { "Invoice", "x&amp;y", "a&#x41;", " 1.5 ", "USD" },
        { "Invoice", "a\nb" },
    };
    struct tree_plan *plan = tree_plan_build(invoices);
    for (size_t i = 0; i < SHUNT_COUNT(inputs); i++) {
        shunt_reader *reader = shunt_fhir_reader_new(&shunt_memory_libc, tree_plan_of(plan), NULL);
        size_t        met = 0;
        shunt_event   e;
        reader->ops->feed(reader, (const uint8_t *)inputs[i], strlen(inputs[i]), true);
        while (reader->ops->next(reader, &e) != SHUNT_STEP_END) {
            if (e.step != SHUNT_STEP_VALUE) continue;
            ck_assert_msg(met < 6 && wanted[i][met], "input %zu: value %zu", i, met);
            ck_assert_msg(e.place.length == strlen(wanted[i][met]) &&
                              memcmp(inputs[i] + e.place.byte, wanted[i][met], e.place.length) == 0,
                          "input %zu: %s is said to be %.*s", i, wanted[i][met], (int)e.place.length, inputs[i] + e.place.byte);
            met++;
        }
        ck_assert_msg(met == 6 || !wanted[i][met], "input %zu: only %zu values", i, met);
        reader->ops->free(reader);
    }
    tree_plan_free(plan);
}
END_TEST

/* One document in both formats. */
static const struct {
    const char *name, *plan, *json, *xml;
} twins[] = {
    { "a Bundle", invoices,
      "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{\"value\":\"v\"},\"type\":\"t\",\"entry\":[{\"resource\":{"
      "\"resourceType\":\"Patient\"}},"
      "{\"resource\":{\"totalNet\":{\"currency\":\"USD\",\"value\":1.50},\"id\":\"i\",\"status\":\"a & "
      "b\",\"resourceType\":\"Invoice\",\"lineItem\":[{\"sequence\":1},"
      "{\"sequence\":2}]}}]}",
      "<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"b\"/><identifier><value value=\"v\"/></identifier><type "
      "value=\"t\"/><entry><resource><Patient><text>"
      "<div "
      "xmlns=\"http://www.w3.org/1999/xhtml\"><p>text</p></div></text></Patient></resource></entry><entry><resource><Invoice><id "
      "value=\"i\"/>"
      "<status value=\"a &amp; b\"/><lineItem><sequence value=\"1\"/></lineItem><lineItem><sequence "
      "value=\"2\"></sequence></lineItem>"
      "<totalNet><value value=\" 1.50\n\"/><currency value=\"USD\"/></totalNet></Invoice></resource></entry></Bundle>" },
    { "primitives", lists,
      "{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"valueCode\":\"c\",\"url\":\"u\"}],\"id\":\"q\"},"
      "\"birthDate\":\"1970\",\"name\":[{\"given\":[\"a\","
      "null,\"b\"],\"_given\":[null,{\"extension\":[{\"valueString\":\"x\"}]},{\"extension\":[{\"valueString\":\"y\"}]}]}]}",
      "<Patient xmlns=\"http://hl7.org/fhir\"><name><given value=\"a\"/><given><extension url=\"u\"><valueString "
      "value=\"x\"/></extension></given>"
      "<given value=\"b\"><extension url=\"u\"><valueString value=\"y\"/></extension></given></name><birthDate id=\"q\" "
      "value=\"1970\"><extension url=\"u\">"
      "<valueCode value=\"c\"/></extension></birthDate></Patient>" },
    { "references", references,
      "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\",\"gender\":"
      "\"f\"},\"fullUrl\":\"http://a/Patient/1\"},"
      "{\"fullUrl\":\"http://a/Claim/2\",\"resource\":{\"resourceType\":\"Claim\",\"patient\":{\"reference\":\"Patient/"
      "1\"},\"id\":\"2\"}},{\"resource\":"
      "{\"resourceType\":\"Claim\",\"id\":\"3\",\"patient\":{\"reference\":\"#p\"},\"contained\":[{\"resourceType\":\"Patient\","
      "\"id\":\"o\"},{\"resourceType\":\"Patient\",\"id\":\"p\","
      "\"gender\":\"m\"}]}},{\"resource\":{\"resourceType\":\"Claim\",\"id\":\"4\",\"patient\":{\"reference\":\"Patient/7\"}}}]}",
      "<Bundle xmlns=\"http://hl7.org/fhir\"><id value=\"b\"/><entry><fullUrl "
      "value=\"http://a/Patient/1\"/><resource><Patient><id value=\"1\"/><gender value=\"f\"/>"
      "</Patient></resource></entry><entry><fullUrl value=\"http://a/Claim/2\"/><resource><Claim><id "
      "value=\"2\"/><patient><reference value=\"Patient/1\"/></patient>"
      "</Claim></resource></entry><entry><resource><Claim><id value=\"3\"/><contained><Patient><id "
      "value=\"o\"/></Patient></contained><contained><Patient><id value=\"p\"/>"
      "<gender value=\"m\"/></Patient></contained><patient><reference "
      "value=\"#p\"/></patient></Claim></resource></entry><entry><resource><Claim><id value=\"4\"/>"
      "<patient><reference value=\"Patient/7\"/></patient></Claim></resource></entry></Bundle>" },
    { "a resource alone", invoices, "{\"resourceType\":\"Invoice\",\"id\":\"\",\"status\":\"s\"}",
      "<Invoice xmlns=\"http://hl7.org/fhir\"><id value=\"\"/><status value=\"s\"/></Invoice>" },
};

START_TEST(json_and_xml_say_the_same)
{
    struct tree_plan *plan = tree_plan_build(twins[_i].plan);
    const shunt_plan *p = tree_plan_of(plan);
    char *json = tree_text(shunt_fhir_reader_new(&shunt_memory_libc, p, NULL), p, twins[_i].json, strlen(twins[_i].json));
    char *xml = tree_text(shunt_fhir_reader_new(&shunt_memory_libc, p, NULL), p, twins[_i].xml, strlen(twins[_i].xml));
    ck_assert_msg(strcmp(json, xml) == 0, "%s\nJSON\n%s\nXML\n%s", twins[_i].name, json, xml);
    ck_assert_ptr_nonnull(strstr(json, "finish"));
    uint64_t hash = hash_of(plan, NULL, twins[_i].xml, strlen(twins[_i].xml), SIZE_MAX);
    for (size_t step = 1; step < 40; step++) ck_assert(hash_of(plan, NULL, twins[_i].xml, strlen(twins[_i].xml), step) == hash);
    free(json);
    free(xml);
    tree_plan_free(plan);
}
END_TEST

#define FHIR "xmlns=\"http://hl7.org/fhir\""
static const struct {
    const char *input, *fault;
} bad_xml[] = {
    { "<Invoice " FHIR "><id value=\"1\"/></Claim>", "FHIR_XML (an end tag" },
    { "<Invoice " FHIR "><id value=\"1\"/>", "FHIR_TRUNCATED" },
    { "<Invoice " FHIR "><id value=\"1\"/></Invoice><x/>", "FHIR_XML (something stands behind" },
    { "<!DOCTYPE Invoice [<!ENTITY a \"aaaa\">]><Invoice " FHIR "><id value=\"&a;\"/></Invoice>", "FHIR_DTD" },
    { "<Invoice " FHIR "><id value=\"&nbsp;\"/></Invoice>", "FHIR_XML (an entity is none of the five" },
    { "<Invoice><id value=\"1\"/></Invoice>", "FHIR_NAMESPACE" },
    { "<Invoice xmlns=\"http://hl7.org/fhi\"><id value=\"1\"/></Invoice>", "FHIR_NAMESPACE" },
    { "<Invoice " FHIR "><x:id value=\"1\"/></Invoice>", "FHIR_XML (a prefix is not declared" },
    { "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Invoice " FHIR "/>", "FHIR_ENCODING (ISO-8859-1)" },
    { "<Invoice " FHIR "><id value=\"\xc3(\"/></Invoice>", "FHIR_XML (bytes are not UTF-8)" },
    { "<Invoice " FHIR ">text<id value=\"1\"/></Invoice>", "FHIR_TEXT" },
    { "<Invoice " FHIR "><id>1</id></Invoice>", "FHIR_SHAPE" },
    { "<Invoice " FHIR "><totalNet><value>1.00</value></totalNet></Invoice>", "FHIR_SHAPE" },
    { "<Invoice " FHIR "><totalNet><value value=\"1\"/></totalNet><totalNet><currency value=\"USD\"/></totalNet></Invoice>",
      "FHIR_TWICE" },
    { "<Invoice " FHIR "><id value=\"\x01\"/></Invoice>", "FHIR_XML" },
    { "<Bundle " FHIR "><entry><resource><Invoice/><Claim/></resource></entry></Bundle>", "FHIR_KEY_TWICE" },
};

START_TEST(faults_of_xml)
{
    struct tree_plan *plan = tree_plan_build(invoices);
    const shunt_plan *p = tree_plan_of(plan);
    size_t            size = strlen(bad_xml[_i].input);
    uint64_t          hash = hash_of(plan, NULL, bad_xml[_i].input, size, SIZE_MAX);
    char              wanted[100];
    struct event_log  log;
    size_t            whole = SIZE_MAX;
    snprintf(wanted, sizeof wanted, "fault %s", bad_xml[_i].fault);
    event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, p, NULL), p, bad_xml[_i].input, size, event_log_cut_fixed,
                  &whole, 0, true);
    ck_assert_msg(strstr(log.text, wanted), "%s: %s", bad_xml[_i].input, log.text);
    event_log_done(&log);
    for (size_t step = 1; step <= size; step++) ck_assert(hash_of(plan, NULL, bad_xml[_i].input, size, step) == hash);
    tree_plan_free(plan);
}
END_TEST

/* A string longer than any buffer, demanded and not, with escapes at every place of a piece. */
START_TEST(long_strings)
{
    enum { LENGTH = 300 * 1000 };
    struct tree_plan        *plan = tree_plan_build(invoices);
    const shunt_fhir_options narrow = { .max_unit_bytes = 100 * 1000 };
    char                    *input = malloc(LENGTH + 200), *events = malloc(LENGTH + 400);
    ck_assert(input && events);
    for (int demanded = 0; demanded < 2; demanded++) {
        size_t at = (size_t)sprintf(input, "{\"resourceType\":\"Invoice\",\"%s\":\"", demanded ? "status" : "x");
        size_t out = (size_t)sprintf(events, "begin transaction Invoice guide 0 4.0.1 #\nenter resource\nvalue 0 Invoice\n%s",
                                     demanded ? "value 2 " : "");
        for (size_t i = 0; i < LENGTH / 10; i++) {
            at += (size_t)sprintf(input + at, "%s", i % 3 ? "0123456789" : "0123\\u0041");
            if (demanded) out += (size_t)sprintf(events + out, "%s", i % 3 ? "0123456789" : "0123A");
        }
        at += (size_t)sprintf(input + at, "\",\"id\":\"z\"}");
        sprintf(events + out, "%svalue 1 z\nleave resource\nfinish transaction\nend\n", demanded ? "\n" : "");
        check_events(plan, NULL, "long", input, at, SIZE_MAX, events);
        check_events(plan, NULL, "long", input, at, 4093, events);
        uint64_t hash = hash_of(plan, NULL, input, at, SIZE_MAX);
        ck_assert(hash == hash_of(plan, NULL, input, at, 1) && hash == hash_of(plan, NULL, input, at, 4093));
        ck_assert(hash_of(plan, &narrow, input, at, SIZE_MAX) == hash_of(plan, &narrow, input, at, 777));
        if (demanded)
            check_events(plan, &narrow, "too long", input, at, 5000,
                         "begin transaction Invoice guide 0 4.0.1 #\nenter resource\nvalue 0 Invoice\nfault "
                         "FHIR_VALUE_BYTES\nvalue 1 z\nleave "
                         "resource\nfinish transaction\nend\n");
        memcpy(input + at - 40, "\\ud800", 6); /* the same fault at the same place, however the string was held */
        hash = hash_of(plan, NULL, input, at, SIZE_MAX);
        ck_assert(hash == hash_of(plan, NULL, input, at, 1) && hash == hash_of(plan, NULL, input, at, 4093));
    }
    free(input);
    free(events);
    tree_plan_free(plan);
}
END_TEST

/* A Bundle whose type comes behind its entries, larger than what is held. */
START_TEST(a_bundle_is_presumed)
{
    enum { ENTRIES = 400 };
    const shunt_fhir_options narrow = { .max_unit_bytes = 2000, .spool_bytes = 512 };
    struct tree_plan        *plan = tree_plan_build(invoices);
    static const char *const ends[] = { "],\"id\":\"b\",\"resourceType\":\"Bundle\",\"type\":\"t\"}",
                                        "],\"id\":\"b\",\"resourceType\":\"List\"}", "],\"id\":\"b\"}", "],\"id\":tru}" };
    char                    *input = malloc(ENTRIES * 80 + 100), *events = malloc(ENTRIES * 80 + 200);
    ck_assert(input && events);
    for (size_t e = 0; e < SHUNT_COUNT(ends); e++) {
        size_t at = (size_t)sprintf(input, "{\"entry\":["), out = 0;
        if (e == 0) out = (size_t)sprintf(events, "begin transaction Bundle guide 0 4.0.1 #\nvalue 0 b\nvalue 1 t\n");
        for (int i = 0; i < ENTRIES; i++) {
            at += (size_t)sprintf(input + at, "%s{\"resource\":{\"id\":\"%d\",\"resourceType\":\"Claim\"}}", i ? "," : "", i);
            if (e == 0) out += (size_t)sprintf(events + out, "enter resource\nvalue 0 %d\nleave resource\n", i);
        }
        at += (size_t)sprintf(input + at, "%s", ends[e]);
        if (e == 0) sprintf(events + out, "finish transaction\nend\n");
        if (e == 1) sprintf(events, "fault FHIR_TYPE_LATE\nend\n");
        if (e == 2) sprintf(events, "fault FHIR_NO_TYPE\nend\n");
        if (e == 3) sprintf(events, "fault FHIR_JSON (lexical error: invalid string in json text.)\nend\n");
        for (size_t step = 1; step < 5000; step += 611) check_events(plan, &narrow, ends[e], input, at, step, events);
    }
    free(input);
    free(events);
    tree_plan_free(plan);
}
END_TEST

/* More than is given to yajl at once, in one piece and in many. */
START_TEST(many_pieces_of_one)
{
    enum { RESOURCES = 1500 };
    struct tree_plan *plan = tree_plan_build(invoices);
    char             *input = malloc(RESOURCES * 120), *events = malloc(RESOURCES * 160);
    ck_assert(input && events);
    for (int bundle = 0; bundle < 2; bundle++) {
        size_t at = 0, out = 0;
        if (bundle) {
            at = (size_t)sprintf(input, "{\"resourceType\":\"Bundle\",\"id\":\"b\",\"identifier\":{},\"type\":\"t\",\"entry\":[");
            out = (size_t)sprintf(events, "begin transaction Bundle guide 0 4.0.1 #\nvalue 0 b\nvalue 1 t\n");
        }
        for (int i = 0; i < RESOURCES; i++) {
            at += (size_t)sprintf(input + at,
                                  bundle ? "%s{\"resource\":{\"resourceType\":\"Claim\",\"id\":\"c%d\",\"x\":%d}}"
                                         : "%s{\"resourceType\":\"Claim\",\"id\":\"c%d\",\"x\":%d}\n",
                                  bundle && i ? "," : "", i, i * 7);
            if (!bundle) out += (size_t)sprintf(events + out, "begin transaction Claim guide 0 4.0.1 #\n");
            out += (size_t)sprintf(events + out, "enter resource\nvalue 0 c%d\nleave resource\n", i);
            if (!bundle) out += (size_t)sprintf(events + out, "finish transaction\n");
        }
        if (bundle) at += (size_t)sprintf(input + at, "]}"), out += (size_t)sprintf(events + out, "finish transaction\n");
        sprintf(events + out, "end\n");
        for (size_t step = 1; step < 200000; step = step * 3 + 1) check_events(plan, NULL, "many", input, at, step, events);
        uint64_t hash = hash_of(plan, NULL, input, at, SIZE_MAX);
        for (size_t step = 1; step < 20000; step = step * 5 + 2) ck_assert(hash_of(plan, NULL, input, at, step) == hash);
    }
    free(input);
    free(events);
    tree_plan_free(plan);
}
END_TEST

START_TEST(references_of_resources_alone)
{
    static const char description[] =
        "guide Claim framed unit\nid\nloop patient frame\nloop resolve() frame type=Patient\ngender\nend\nend\n";
    static const char input[] = "{\"resourceType\":\"Claim\",\"patient\":{\"reference\":\"#p\"},\"id\":\"1\",\"contained\":[{"
                                "\"resourceType\":\"Patient\",\"id\":\"p\",\"gender\":\"f\"}]}\n"
                                "{\"resourceType\":\"Patient\",\"id\":\"q\",\"gender\":\"m\"}\n"
                                "{\"id\":\"2\",\"resourceType\":\"Claim\",\"patient\":{\"reference\":\"Patient/q\"}}\n";
    struct tree_plan *plan = tree_plan_build(description);
    for (size_t step = 1; step < sizeof input; step++)
        check_events(plan, NULL, "alone", input, sizeof input - 1, step,
                     "begin transaction Claim guide 0 4.0.1 #\nenter patient\nenter resolve()\nvalue 0 f\nleave resolve()\nleave "
                     "patient\nvalue 0 1\nfinish "
                     "transaction\nbegin transaction Patient guide -1  #\nfault FHIR_UNMAPPED\nfinish transaction\nbegin "
                     "transaction Claim guide 0 4.0.1 "
                     "#\nvalue 0 2\nenter patient\nfault FHIR_REF_WINDOW\nleave patient\nfinish transaction\nend\n");
    tree_plan_free(plan);
}
END_TEST

START_TEST(several_loops_of_one_name)
{
    static const char description[] =
        "guide Bundle framed\nloop entry\nloop resource unit\nid\nend\nloop resource unit type=Claim\nid\nloop contained frame "
        "type=Patient\nid\nend\nend\nend\n";
    static const char input[] =
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"id\":\"1\",\"contained\":[{\"id\":\"p\",\"resourceType\":"
        "\"Patient\"},"
        "{\"resourceType\":\"Group\"}],\"resourceType\":\"Claim\"}},{\"resource\":{\"resourceType\":\"Invoice\",\"id\":\"2\"}}]}";
    struct tree_plan *plan = tree_plan_build(description);
    for (size_t step = 1; step < sizeof input; step++)
        check_events(plan, NULL, "several", input, sizeof input - 1, step,
                     "begin transaction Bundle guide 0 4.0.1 #\nenter resource\nvalue 0 1\nleave resource\nenter resource\nvalue "
                     "0 1\nenter "
                     "contained\nvalue 0 p\nleave contained\nleave resource\nenter resource\nvalue 0 2\nleave resource\nfinish "
                     "transaction\nend\n");
    tree_plan_free(plan);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct tree_plan        *plan = tree_plan_build(cases[_i].plan);
    const shunt_plan        *p = tree_plan_of(plan);
    const shunt_fhir_options o = { .spool_bytes = 16 };
    bool                     failed = true;
    for (size_t n = 1; failed; n++) {
        struct test_memory memory;
        struct event_log   log;
        size_t             step = 7;
        test_memory_init(&memory, n);
        memory.fail_on = _i & 1;
        shunt_reader *reader = shunt_fhir_reader_new(&memory.memory, p, &o);
        if (reader) {
            event_log_run(&log, reader, p, cases[_i].input, cases[_i].size, event_log_cut_fixed, &step, 0, true);
            failed = strstr(log.text, "failed NO_MEMORY") != NULL;
            ck_assert_msg(failed || strcmp(log.text, cases[_i].events) == 0, "%s, call %zu:\n%s", cases[_i].name, n, log.text);
            event_log_done(&log);
        }
        ck_assert_msg(memory.blocks == 0, "%s, call %zu: %zu blocks are left", cases[_i].name, n, memory.blocks);
        ck_assert(!failed || memory.calls >= n);
    }
    tree_plan_free(plan);
}
END_TEST

/* libxml2 has its memory from the process: here from an allocator that fails. */
static size_t xml_calls, xml_fail_at, xml_blocks;
static bool   xml_refuses(void) { return ++xml_calls == xml_fail_at; }
static void  *xml_take(size_t size)
{
    if (xml_refuses()) return NULL;
    xml_blocks++;
    return malloc(size);
}
static void *xml_resize(void *block, size_t size)
{
    if (xml_refuses()) return NULL;
    xml_blocks += block == NULL;
    return realloc(block, size);
}
static void xml_give(void *block)
{
    xml_blocks -= block != NULL;
    free(block);
}
static char *xml_copy(const char *text)
{
    size_t length = strlen(text) + 1;
    char  *copy = xml_take(length);
    if (copy) memcpy(copy, text, length);
    return copy;
}

static void say_nothing(void *context, const char *format, ...) { (void)context, (void)format; }

START_TEST(libxml2_may_lack_memory)
{
    struct tree_plan *plan = tree_plan_build(twins[_i].plan);
    const shunt_plan *p = tree_plan_of(plan);
    size_t            size = strlen(twins[_i].xml);
    shunt_reader     *first = shunt_fhir_reader_new(&shunt_memory_libc, p, NULL);
    xmlMemSetup(xml_give, xml_take, xml_resize, xml_copy);
    xmlSetGenericErrorFunc(NULL, say_nothing);
    char  *right = tree_text(first, p, twins[_i].xml, size);
    size_t before = xml_blocks;
    bool   met = true;
    for (xml_fail_at = 1; met; xml_fail_at++) {
        struct event_log log;
        size_t           step = 100;
        xml_calls = 0;
        event_log_run(&log, shunt_fhir_reader_new(&shunt_memory_libc, p, NULL), p, twins[_i].xml, size, event_log_cut_fixed,
                      &step, 0, true);
        met = xml_calls >= xml_fail_at;
        bool told = strstr(log.text, "failed NO_MEMORY") || strstr(log.text, "fault FHIR_");
        ck_assert_msg(told || strstr(log.text, "finish"), "call %zu:\n%s", xml_fail_at, log.text);
        event_log_done(&log);
        ck_assert_msg(xml_blocks <= before, "call %zu: libxml2 keeps %zu blocks", xml_fail_at, xml_blocks - before);
    }
    xml_fail_at = 0;
    free(right);
    tree_plan_free(plan);
}
END_TEST

START_TEST(a_spool_that_fails)
{
    struct tree_plan        *plan = tree_plan_build(invoices);
    const shunt_fhir_options o = { .spool_bytes = 16, .directory = "/nonexistent/folder" };
    static const char        input[] =
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Invoice\",\"id\":\"i\"}}],\"id\":\"b\"}";
    check_events(plan, &o, "spool", input, sizeof input - 1, SIZE_MAX, "begin transaction Bundle guide 0 4.0.1 #\nfailed IO\n");
    tree_plan_free(plan);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fhir_reader");
    TCase *tc = tcase_create("fhir_reader");
    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, same_events_at_every_cut, 0, SHUNT_COUNT(cases));
    tcase_add_loop_test(tc, same_events_for_two_pieces, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, places);
    tcase_add_loop_test(tc, json_and_xml_say_the_same, 0, SHUNT_COUNT(twins));
    tcase_add_loop_test(tc, faults_of_xml, 0, SHUNT_COUNT(bad_xml));
    tcase_add_test(tc, long_strings);
    tcase_add_test(tc, a_bundle_is_presumed);
    tcase_add_test(tc, many_pieces_of_one);
    tcase_add_test(tc, references_of_resources_alone);
    tcase_add_test(tc, several_loops_of_one_name);
    tcase_add_loop_test(tc, every_allocation_may_fail, 0, SHUNT_COUNT(cases));
    tcase_add_loop_test(tc, libxml2_may_lack_memory, 0, SHUNT_COUNT(twins));
    tcase_add_test(tc, a_spool_that_fails);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
