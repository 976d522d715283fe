/* Targets with an `encode`: what is written, what is refused when rules are compiled, and every allocation failing once. What other
 * people's readers make of it: tests/cli/run_encode.py. */
#include <check.h>
#include <shunt/shunt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/vm/record.h"
#include "tests/support/asm.h"
#include "tests/support/test_memory.h"

/* %s: the `encode` of `out`, and that of the journal. */
static const char rules[] = "module t.encode version \"1.0.0\" edition 1\n"
                            "source era is X12 835 \"005010X221A1\" { currency: USD }\n"
                            "codes { T_RULE \"failed\" queue \"q\" }\n"
                            "enum size { small, `large` }\n"
                            "target service { code: text(48)  charge: money(USD)  units: int?  key code  accepts phi clinical }\n"
                            "target out {\n"
                            "  claim: text(38)\n"
                            "  flag: bool\n"
                            "  nth: int\n"
                            "  rate: decimal(9, 3)\n"
                            "  day: date\n"
                            "  size: size\n"
                            "  paid: money(USD)\n"
                            "  fee: money(EUR)\n"
                            "  none: text(5)?\n"
                            "  services: list of service max 9\n"
                            "  key claim\n"
                            "  accepts phi account_number, identifier, clinical\n"
                            "  %s\n"
                            "}\n"
                            "target gl is journal {\n"
                            "  date: date\n"
                            "  total: money(USD)\n"
                            "  column claim: text(38)?\n"
                            "  column fee: money(EUR)?\n"
                            "  accepts phi account_number, identifier\n"
                            "  %s\n"
                            "}\n"
                            "map post from era into out, gl {\n"
                            "  on error quarantine T_RULE\n"
                            "  for each claim in 2100 {\n"
                            "    match CLP02 {\n"
                            "      when \"1\" => {\n"
                            "        emit out { claim: CLP01  flag: CLP03 > CLP04  nth: position(claim)  rate: -0.125  day: "
                            "BPR16  size: `large`  paid: CLP04  fee: 1.50 EUR\n"
                            "          services: for each s in 2110 { code: SVC01-2  charge: SVC02 } }\n"
                            "      }\n"
                            "      else => {\n"
                            "        journal gl with (fee: 0.25 EUR) {\n"
                            "          key CLP01\n"
                            "          date: BPR16\n"
                            "          total: CLP04\n"
                            "          negatives: flip\n"
                            "          debit \"1015\" CLP04 with (claim: CLP01)\n"
                            "          credit \"1200\" CLP04\n"
                            "        }\n"
                            "      }\n"
                            "    }\n"
                            "  }\n"
                            "}\n";

#define CLAIM(number, paid)   "CLP*" number "*1*100*" paid "**12*P1~SVC*HC:99213*60*50~SVC*HC:A<1*40*30~"
#define JOURNAL(number, paid) "CLP*" number "*2*100*" paid "**12*P1~"
static const char head[] =
    "ISA*00*          *00*          *ZZ*S              *ZZ*R              *250301*1200*^*00501*000000001*0*T*:~"
    "GS*HP*S*R*20250301*1200*1*X*005010X221A1~ST*835*0001~BPR*I*1*C*ACH************20250301~TRN*1*T1*1999999999~"
    "N1*PR*P~N1*PE*Q*XX*1~LX*1~";
static const char tail[] = "SE*1*0001~GE*1*1~IEA*1*000000001~";

static const struct {
    const char *name, *encode, *journal, *claims, *expected;
} cases[] = {
    { "json of everything", "encode json { }", "", CLAIM("C1", "80"),
      "{\"claim\":\"C1\",\"flag\":true,\"nth\":1,\"rate\":\"-0.125\",\"day\":\"2025-03-01\",\"size\":\"large\",\"paid\":\"80."
      "00\","
      "\"paid_currency\":\"USD\",\"fee\":\"1.50\",\"fee_currency\":\"EUR\",\"services\":[{\"code\":\"99213\",\"charge\":\"60."
      "00\","
      "\"currency\":\"USD\"},{\"code\":\"A<1\",\"charge\":\"40.00\",\"currency\":\"USD\"}]}\n" },
    { "amounts as numbers, other decimals as texts",
      "encode ndjson { money: \"number\"  column rate  column services as \"s\"  column fee }", "", CLAIM("C1", "80"),
      "{\"rate\":\"-0.125\",\"s\":[{\"code\":\"99213\",\"charge\":60.00,\"currency\":\"USD\"},{\"code\":\"A<1\",\"charge\":40.00,"
      "\"currency\":\"USD\"}],\"fee\":1.50}\n" },
    { "absent members are left out", "encode json { column none as \"n\"  column claim }", "", CLAIM("C1", "80"),
      "{\"claim\":\"C1\"}\n" },
    { "an object of nothing", "encode json { root: \"r\"  column none }", "", CLAIM("C1", "80"), "{\"r\":{}}\n" },
    { "xml of everything", "encode xml { }", "", CLAIM("C1", "80"),
      "<out><claim>C1</claim><flag>true</flag><nth>1</nth><rate>-0.125</rate><day>2025-03-01</day><size>large</size>"
      "<paid currency=\"USD\">80.00</paid><fee currency=\"EUR\">1.50</fee><services><item><code>99213</code>"
      "<charge currency=\"USD\">60.00</charge></item><item><code>A&lt;1</code><charge "
      "currency=\"USD\">40.00</charge></item></services></out>\n" },
    { "xml with items of a name",
      "encode xml { root: \"R\"  item: \"S\"  column services as \"Services\"  column nth as \"@n\"  column none as \"@x\" }", "",
      CLAIM("C1", "80"),
      "<R "
      "n=\"1\"><Services><S><code>99213</code><charge>60.00</charge></S><S><code>A&lt;1</code><charge>40.00</charge></S></"
      "Services></R>\n" },
    { "xml with prefixes, and rows with attributes",
      "encode xml { root: \"a:R\"  prefixes: \"a=urn:a b=urn:b&c\"  namespace: \"urn:d\"  item: \"b:S\"  fields: "
      "\"service.code=@b:code "
      "service.charge=a:Charge\"  column services as \"a:Services\"  column nth as \"@b:n\" }",
      "", CLAIM("C1", "80"),
      "<a:R xmlns=\"urn:d\" xmlns:a=\"urn:a\" xmlns:b=\"urn:b&amp;c\" b:n=\"1\"><a:Services><b:S "
      "b:code=\"99213\"><a:Charge>60.00</a:Charge></b:S><b:S "
      "b:code=\"A&lt;1\"><a:Charge>40.00</a:Charge></b:S></a:Services></a:R>\n" },
    { "an element of attributes alone", "encode xml { column nth as \"@n\" }", "", CLAIM("C1", "80"), "<out n=\"1\"></out>\n" },
    { "csv of kinds of values",
      "encode csv { column claim  column flag  column nth  column rate  column day  column size  column paid  column none  "
      "column fee }",
      "", CLAIM("C1", "80") CLAIM("-C2", "-80"),
      "claim,flag,nth,rate,day,size,paid,none,fee\nC1,true,1,-0.125,2025-03-01,large,80.00,,1.50\n"
      "'-C2,true,2,-0.125,2025-03-01,large,-80.00,,1.50\n" },
    { "csv of a journal", "", "encode csv { }", JOURNAL("C1", "80"),
      "date,total,total_currency,account,side,amount,currency,claim,fee,fee_currency\n"
      "2025-03-01,80.00,USD,1015,debit,80.00,USD,C1,0.25,EUR\n2025-03-01,80.00,USD,1200,credit,80.00,USD,,0.25,EUR\n" },
    { "xml of a journal", "", "encode xml { item: \"line\" }", JOURNAL("C1", "-80"),
      "<gl><date>2025-03-01</date><total currency=\"USD\">-80.00</total><lines><line><account>1015</account><side>credit</side>"
      "<amount currency=\"USD\">80.00</amount><claim>C1</claim><fee "
      "currency=\"EUR\">0.25</fee></line><line><account>1200</account>"
      "<side>debit</side><amount currency=\"USD\">80.00</amount><fee currency=\"EUR\">0.25</fee></line></lines></gl>\n" },
    { "a journal without lines is no record", "", "encode csv { }", JOURNAL("C1", "0"), "" },
    { "fixed of kinds of values",
      "encode fixed 60 { column nth at 51..54  column claim at 1..4  column flag at 5..9  column rate at 11..17  column day at "
      "18..27  "
      "column size at 28..32  column paid at 33..40 as \"N3\"  column none at 41..45  column fee at 46..50 }",
      "", CLAIM("C1", "80") CLAIM("C2", "-80"),
      "C1  true   -0.1252025-03-01large00080000      1.50   1      \n"
      "C2  true   -0.1252025-03-01large-0080000      1.50   2      \n" },
    { "fixed lines without an end", "encode fixed 4 { line: \"\"  column claim at 2..3 }", "",
      CLAIM("C1", "80") CLAIM("C2", "80"), " C1  C2 " },
    { "dates by a pattern", "encode fixed 10 { column day at 1..8 as \"DD.MM.YY\" }", "", CLAIM("C1", "80"), "01.03.25  \n" },
    { "both ways at once", "encode csv { column claim  header: false }", "encode xml { column amount as \"@a\" }",
      CLAIM("C1", "80") JOURNAL("C2", "5"), "C1\n<gl><lines><item a=\"5.00\"></item><item a=\"5.00\"></item></lines></gl>\n" },
    { "an interchange",
      "encode x12 820 \"005010\" { sender: \"S1\"  receiver: \"R1\"  usage: \"T\"  separators: \"|>^\\n\"  segment BPR { 1: "
      "\"C\"  2: "
      "paid  3: \"C\"  4: \"CHK\" } "
      "segment TRN { 1: \"1\"  2: claim } segment REF { 1: \"14\"  2: none } for each s in services where s.charge > 50.00 USD { "
      "segment ENT { 1: nth  2: \"2J\"  3: \"EI\"  4: s.code } segment RMR { 1: \"IV\"  2: s.code  4: s.charge  6: -rate } } }",
      "", CLAIM("C1", "80") CLAIM("C2", "-80"),
      "ISA|00|          |00|          |ZZ|S1             |ZZ|R1             |250301|0800|^|00501|000000001|0|T|>\n"
      "GS|RA|S1|R1|20250301|0800|1|X|005010\nST|820|0001|005010\nBPR|C|80|C|CHK\nTRN|1|C1\nENT|1|2J|EI|99213\n"
      "RMR|IV|99213||60||.125\nSE|6|0001\nST|820|0002|005010\nBPR|C|-80|C|CHK\nTRN|1|C2\nENT|2|2J|EI|99213\n"
      "RMR|IV|99213||60||.125\nSE|6|0002\nGE|2|1\nIEA|1|000000001\n" },
    { "a message",
      "encode hl7 \"DFT^P03\" \"2.5.1\" { sending_application: \"S1\"  receiving_application: \"R&1\"  processing: \"T\"  "
      "accept_ack: \"AL\"  "
      "line: \"\\n\"  segment EVN { 2: day } segment PID { 3: for each s in services { 1: part(s.code, 1, 15) } 5: { 1.1: claim "
      "} "
      "} "
      "segment FT1 { 4: day  6: size  7.1: \"X\"  10: rate  11: paid  13.2: none } }",
      "", CLAIM("C1", "80") CLAIM("C2", "-80"),
      "MSH|^~\\&|S1||R\\T\\1||20250301080000+0000||DFT^P03^DFT_P03|1|T|2.5.1|||AL\nEVN||20250301\nPID|||99213~A<1||C1\n"
      "FT1||||20250301||large|X|||-0.125|80.00&USD\n"
      "MSH|^~\\&|S1||R\\T\\1||20250301080000+0000||DFT^P03^DFT_P03|2|T|2.5.1|||AL\nEVN||20250301\nPID|||99213~A<1||C2\n"
      "FT1||||20250301||large|X|||-0.125|-80.00&USD\n" },
    { "a resource",
      "encode fhir json \"R5\" { to \"Invoice.status\": \"draft\"  to \"Invoice.lineItem\": for each s in services where "
      "s.charge > 50.00 USD { "
      "to \"sequence\": nth  to \"chargeItemCodeableConcept.text\": s.code  to \"chargeItemCodeableConcept.coding[1].code\": "
      "none } "
      "to \"Invoice.totalGross\": paid  to \"Invoice.id\": claim  to \"Invoice.creation\": day  to \"Invoice.cancelledReason\": "
      "none "
      "to \"Invoice.participant[1].actor.display\": \"B\"  to \"Invoice.participant[0]\": { to \"actor.reference\": "
      "\"A/{claim}\" } }",
      "", CLAIM("C1", "80") CLAIM("C2", "-80"),
      "{\"resourceType\":\"Invoice\",\"id\":\"C1\",\"status\":\"draft\",\"creation\":\"2025-03-01\",\"participant\":[{\"actor\":{"
      "\"reference\":\"A/C1\"}},"
      "{\"actor\":{\"display\":\"B\"}}],\"lineItem\":[{\"sequence\":1,\"chargeItemCodeableConcept\":{\"text\":\"99213\"}}],"
      "\"totalGross\":{\"value\":80.00,"
      "\"currency\":\"USD\"}}\n"
      "{\"resourceType\":\"Invoice\",\"id\":\"C2\",\"status\":\"draft\",\"creation\":\"2025-03-01\",\"participant\":[{\"actor\":{"
      "\"reference\":\"A/C2\"}},"
      "{\"actor\":{\"display\":\"B\"}}],\"lineItem\":[{\"sequence\":2,\"chargeItemCodeableConcept\":{\"text\":\"99213\"}}],"
      "\"totalGross\":{\"value\":-80.00,"
      "\"currency\":\"USD\"}}\n" },
    { "repetitions of a value",
      "encode fhir xml \"4.0.1\" { to \"Patient.name[0].given\": for each s in services { to \"\": s.code } to "
      "\"Patient.active\": flag  to "
      "\"Patient.extension[0].valueString\": claim  to \"Patient.extension[0].url\": \"urn:a&b\" }",
      "", CLAIM("C1", "80"),
      "<Patient xmlns=\"http://hl7.org/fhir\"><extension url=\"urn:a&amp;b\"><valueString value=\"C1\"/></extension><active "
      "value=\"true\"/>"
      "<name><given value=\"99213\"/><given value=\"A&lt;1\"/></name></Patient>\n" },
    { "a narrative, and resources in a resource",
      "encode fhir json \"4.0.1\" { to \"Patient.text\": { to \"status\": \"additional\"  to \"div\": \"<{claim}>\\\\\" }  "
      "to \"Patient.contained[1].Device.id\": none  to \"Patient.contained[0]\": { to \"Group.id\": \"g\"  to \"Group.name\": "
      "claim  to "
      "\"Group.type\": \"person\"  to \"Group.actual\": true }  "
      "to \"Patient.contained\": for each s in services { to \"Patient.id\": s.code }  to \"Patient.active\": flag }",
      "", CLAIM("C1", "80"),
      "{\"resourceType\":\"Patient\",\"text\":{\"status\":\"additional\",\"div\":\"<div "
      "xmlns=\\\"http://www.w3.org/1999/xhtml\\\">&lt;C1&gt;\\\\</"
      "div>\"},\"contained\":[{\"resourceType\":\"Group\",\"id\":\"g\","
      "\"type\":\"person\",\"actual\":true,\"name\":\"C1\"},{\"resourceType\":\"Patient\",\"id\":\"99213\"},"
      "{\"resourceType\":\"Patient\",\"id\":\"A<1\"}],\"active\":true}\n" },
    { "the same in XML",
      "encode fhir xml \"4.0.1\" { to \"Patient.text\": { to \"status\": \"additional\"  to \"div\": \"<{claim}>\\\\\" }  "
      "to \"Patient.contained[0].Group\": { to \"id\": \"g\"  to \"type\": \"person\"  to \"actual\": true  to \"name\": claim } "
      " "
      "to \"Patient.contained\": for each s in services { to \"Patient.id\": s.code } }",
      "", CLAIM("C1", "80"),
      "<Patient xmlns=\"http://hl7.org/fhir\"><text><status value=\"additional\"/><div "
      "xmlns=\"http://www.w3.org/1999/xhtml\">&lt;C1&gt;\\</div></text><contained><Group xmlns=\"http://hl7.org/fhir\"><id "
      "value=\"g\"/><type value=\"person\"/><actual value=\"true\"/><name value=\"C1\"/></Group></contained><contained><Patient "
      "xmlns=\"http://hl7.org/fhir\"><id value=\"99213\"/></Patient></contained><contained><Patient "
      "xmlns=\"http://hl7.org/fhir\"><id value=\"A&lt;1\"/></Patient></contained></Patient>\n" },
    { "what does not fit is none of its unit", "encode fixed 4 { column claim at 1..2 }", "",
      CLAIM("C10", "80") CLAIM("C2", "80"), "C2  \n" },
};

#define X12(settings)                                                                                                            \
    "encode x12 820 \"005010\" { sender: \"S\"  receiver: \"R\"  " settings                                                      \
    " segment BPR { 1: \"C\"  2: paid  3: \"C\"  4: \"CHK\" } }"

#define HL7(settings)                                                                                                            \
    "encode hl7 \"ADT^A03\" \"2.5.1\" { sending_application: \"S\"  receiving_application: \"R\"  " settings                     \
    " segment EVN { 2: day } segment PID { 3: part(claim, 1, 9)  5: { 1.1: claim } } segment PV1 { 2: \"I\" } }"

/* What the compiler says of an `encode`, and where. */
static const struct {
    const char *encode, *journal, *expected;
} faults[] = {
    { "encode json { money: \"float\" }", "", "`money` must be \"text\" or \"number\"\n  --> t.map:19:17" },
    { "encode json { column claim at 1 }", "",
      "columns stand in the order in which they are listed; `at` is for csv and fixed\n  --> t.map:19:17" },
    { "encode json { column claim  column nth as \"claim\" }", "", "two columns are called `claim`\n  --> t.map:19:31" },
    { "encode csv { }", "", "`services` holds several values; list the columns without it\n  --> t.map:19:3" },
    { "encode csv { column services }", "", "`services` holds several values; it does not fit a column\n  --> t.map:19:16" },
    { "encode csv { separator: \"a\" }", "", "`separator` must be one character of ASCII that is no letter, digit or blank\n" },
    { "encode csv { separator: \";;\" }", "", "`separator` must be one character" },
    { "encode csv { quote: \",\" }", "",
      "`quote` must be one character of ASCII that is no letter, digit or blank, and not the separator\n" },
    { "encode csv { separator: \"\\n\" }", "", "`separator` must be one character" },
    { "encode csv { terminator: \"a\" }", "", "`terminator` must be a line end" },
    { "encode csv { terminator: \",\\n\" }", "", "`terminator` must be a line end" },
    { "encode csv { encoding: \"UTF-16\" }", "", "`encoding` must be \"UTF-8\", \"US-ASCII\" or \"ISO-8859-1\"\n" },
    { "encode csv { formulas: \"keep\" }", "", "`formulas` must be \"quote\" or \"refuse\"\n" },
    { "encode csv { separator: \";\"  separator: \",\" }", "", "`separator` is set twice\n  --> t.map:19:32" },
    { "encode csv { column claim at 1..2 }", "", "a column of a CSV takes one place: `at 3`\n" },
    { "encode csv { column claim at 2  column nth at 1  column day }", "", "two columns stand at place 2\n  --> t.map:19:52" },
    { "encode csv { column claim at 5000 }", "", "there are at most 4096 places\n" },
    { "encode csv { encoding: \"US-ASCII\"  column claim as \"\xc3\xa9\" }", "",
      "the encoding has not all characters of this heading\n" },
    { "encode fixed 10 { }", "", "a fixed line needs its columns: `column NAME at 1..8`\n" },
    { "encode fixed 10 { column claim }", "", "a column of a fixed line says where it stands: `at 1..8`\n" },
    { "encode fixed 10 { column claim at 5..11 }", "", "5..11 is no place in a line of 10\n" },
    { "encode fixed 10 { column claim at 5..4 }", "", "5..4 is no place in a line of 10\n" },
    { "encode fixed 10 { column claim at 1..5  column nth at 4..6 }", "",
      "another column stands at 4 already\n  --> t.map:19:43" },
    { "encode fixed 10 { column claim at 1..5 as \"N2\" }", "", "only numbers and dates have a format\n" },
    { "encode fixed 10 { column nth at 1..5 as \"9.99\" }", "", "a number is written as \"N0\" to \"N9\", or without `as`\n" },
    { "encode fixed 10 { column rate at 1..5 as \"N2\" }", "", "the value has 3 decimals, \"N2\" would lose some\n" },
    { "encode fixed 10 { column day at 1..8 as \"YYYYMM\" }", "",
      "a date is written by YYYY or YY, MM and DD, each once, as in \"MM/DD/YYYY\"\n" },
    { "encode fixed 10 { line: \"x\"  column nth at 1..5 }", "", "`line` must be a line end, as `\\n` or `\\r\\n`, or empty\n" },
    { "encode xml { root: \"a b\" }", "", "`root` must be a name: letters, digits, `_`, `-`, `.`" },
    { "encode xml { item: \"1\" }", "", "`item` must be a name" },
    { "encode xml { column claim as \"xmlClaim\" }", "", "`xmlClaim` is no name of XML\n" },
    { "encode xml { column claim as \"@\" }", "", "`@` is no name of XML\n" },
    { "encode xml { column services as \"@s\" }", "", "an attribute holds one value\n" },
    { "encode xml { column claim as \"a:c\" }", "", "`a:c` is no name of XML\n" },
    { "encode xml { prefixes: \"a=urn:a\"  column claim as \"@b:c\" }", "", "`@b:c` is no name of XML\n" },
    { "encode xml { prefixes: \"a=urn:a\"  item: \"a:\" }", "", "`item` must be a name" },
    { "encode xml { prefixes: \"a=urn:a\"  item: \"a:b:c\" }", "", "`item` must be a name" },
    { "encode xml { prefixes: \"a\" }", "", "`prefixes` must be prefixes and their namespaces" },
    { "encode xml { prefixes: \"a=\" }", "", "`prefixes` must be prefixes and their namespaces" },
    { "encode xml { prefixes: \"xmlns=urn:a\" }", "", "`prefixes` must be prefixes and their namespaces" },
    { "encode xml { prefixes: \"a=urn:a a=urn:b\" }", "", "`prefixes` must be prefixes and their namespaces" },
    { "encode xml { prefixes: \"a=urn:a b=urn:a\" }", "", "`prefixes` must be prefixes and their namespaces" },
    { "encode xml { fields: \"service.code\" }", "", "`fields` must be fields of rows and their names" },
    { "encode xml { fields: \"service.cod=x\" }", "", "`fields` must be fields of rows and their names" },
    { "encode xml { fields: \"code=x\" }", "", "`fields` must be fields of rows and their names" },
    { "encode xml { fields: \"service.code=x service.code=y\" }", "", "`fields` must be fields of rows and their names" },
    { "encode xml { fields: \"service.code=a:x\" }", "", "`fields` must be fields of rows and their names" },
    { "encode xml { fields: \"service.code=@x service.charge=@x\" }", "", "two fields of its rows are attributes of one name" },
    { X12("control: \"0\""), "", "`control` must be a number from 1 to 999999999, in quotes\n  --> t.map:19:57" },
    { X12("control: \"1000000000\""), "", "`control` must be a number" },
    { X12("control: \"1x\""), "", "`control` must be a number" },
    { X12("acknowledge: \"yes\""), "", "`acknowledge` must be \"0\" or \"1\"\n" },
    { X12("separators: \"*:^\""), "", "`separators` must be four different marks" },
    { X12("separators: \"*:^*\""), "", "`separators` must be four different marks" },
    { X12("separators: \"*:^A\""), "", "`separators` must be four different marks" },
    { X12("separators: \"\\n:^~\""), "", "`separators` must be four different marks" },
    { X12("line: \";\""), "", "`line` must be a line end" },
    { X12("encoding: \"EBCDIC\""), "", "`encoding` must be \"UTF-8\"" },
    { X12("delimiters: \"keep\""), "", "`delimiters` must be \"refuse\" or \"blank\"\n" },
    { X12("interchange: \"file\""), "", "`interchange` must be \"transaction\" or \"record\"\n" },
    { HL7("control: \"x\""), "", "`control` must be a number" },
    { HL7("separators: \"|^~\\\\\""), "", "`separators` must be five different marks" },
    { HL7("separators: \"|^~\\\\|\""), "", "`separators` must be five different marks" },
    { HL7("line: \"\""), "", "`line` must be `\\r`, `\\n` or `\\r\\n`\n" },
    { HL7("encoding: \"UTF-16\""), "", "`encoding` must be \"UTF-8\"" },
    { "encode fhir json \"4.0.1\" { bundle: \"searchset\"  to \"Patient.active\": flag }", "",
      "`bundle` must be \"none\", \"collection\", \"batch\" or \"transaction\"\n" },
    { HL7("frame: \"tcp\""), "", "`frame` must be \"none\" or \"mllp\"\n" },
    { "", "encode xml { column date as \"lines\"  column amount }",
      "`lines` is what the lines of a journal are called\n  --> t.map:27:16" },
};

struct host {
    char   map[sizeof rules + 1000];
    char  *out;
    size_t length;
};

static bool keep(void *context, const void *bytes, size_t size)
{
    struct host *h = context;
    char        *more = realloc(h->out, h->length + size + 1);
    if (!more) return false;
    if (size) memcpy(more + h->length, bytes, size);
    h->out = more;
    h->length += size;
    h->out[h->length] = 0;
    return true;
}

static bool on_record(void *context, const shunt_out *record)
{
    return keep(context, record->head, record->head_length) && keep(context, record->json, record->length) &&
           keep(context, record->end, record->end_length);
}

static int read_map(void *context, const shunt_allocator *allocator, const char *path, unsigned char **bytes, size_t *size)
{
    const struct host *h = context;
    (void)path;
    *size = strlen(h->map);
    *bytes = allocator->allocate(allocator->context, *size + 1);
    if (!*bytes) return 12; /* ENOMEM */
    memcpy(*bytes, h->map, *size);
    return 0;
}

static shunt_result compile(struct host *h, const shunt_allocator *allocator, shunt_program **program)
{
    shunt_compile_options options = { .size = sizeof options, .allocator = allocator, .read_file = read_map, .read_context = h };
    shunt_messages       *messages = NULL;
    shunt_result          result = shunt_compile("t.map", &options, program, &messages);
    if (result == SHUNT_RULES_FAULT) ck_assert_int_eq(shunt_messages_print(messages, false, keep, h), SHUNT_DONE);
    shunt_messages_free(messages);
    return result;
}

static shunt_result feed(shunt_run *run, const char *text) { return shunt_run_feed(run, text, strlen(text)); }

static shunt_result run(struct host *h, const shunt_program *program, const shunt_allocator *allocator, const char *claims)
{
    shunt_callbacks   callbacks = { .context = h, .record = on_record };
    shunt_run_options options = { .size = sizeof options, .allocator = allocator, .received_at = "2025-03-01T08:00:00Z" };
    shunt_run        *r = NULL;
    shunt_messages   *messages = NULL;
    shunt_result      result = shunt_run_new(program, &callbacks, &options, &r, &messages);
    if (result == SHUNT_DONE) result = shunt_run_begin(r, NULL, "t");
    if (result == SHUNT_DONE) result = feed(r, head);
    if (result == SHUNT_DONE) result = feed(r, claims);
    if (result == SHUNT_DONE) result = feed(r, tail);
    if (result == SHUNT_DONE) result = shunt_run_end(r);
    if (result <= SHUNT_INPUT_FAULT) result = shunt_run_finish(r);
    shunt_run_free(r);
    shunt_messages_free(messages);
    return result;
}

static struct host host_of(const char *encode, const char *journal)
{
    struct host h = { .length = 0 };
    snprintf(h.map, sizeof h.map, rules, encode, journal);
    return h;
}

START_TEST(records_are_written_as_the_rules_say)
{
    struct host    h = host_of(cases[_i].encode, cases[_i].journal);
    shunt_program *program = NULL;
    ck_assert_msg(compile(&h, NULL, &program) == SHUNT_DONE, "%s:\n%s", cases[_i].name, h.out);
    shunt_result result = run(&h, program, NULL, cases[_i].claims);
    ck_assert(result <= SHUNT_INPUT_FAULT);
    ck_assert_msg(strcmp(h.out ? h.out : "", cases[_i].expected) == 0, "%s:\n%s---- not\n%s", cases[_i].name, h.out,
                  cases[_i].expected);
    shunt_release(program);
    free(h.out);
}
END_TEST

START_TEST(what_can_not_be_written_does_not_compile)
{
    struct host    h = host_of(faults[_i].encode, faults[_i].journal);
    shunt_program *program = NULL;
    ck_assert_int_eq(compile(&h, NULL, &program), SHUNT_RULES_FAULT);
    ck_assert_msg(strstr(h.out, "error[E0306]: ") && strstr(h.out, faults[_i].expected), "%s %s:\n%s---- not\n%s",
                  faults[_i].encode, faults[_i].journal, h.out, faults[_i].expected);
    free(h.out);
}
END_TEST

/* Programs that no compiler made. */
START_TEST(a_program_that_asks_for_more_is_refused)
{
    static const struct {
        const char *encode, *why;
    } wrong[] = {
        { "encode t json colour=red", "`encode` of target `t`: there is no setting `colour`" },
        { "encode t csv header=yes\n| 0 a", "`encode` of target `t`: `header` must be `true` or `false`" },
        { "encode t csv\n| 0 a N2", "`encode` of target `t`: a cell has no format" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char            source[200], why[200] = "";
        shunt_encoders *encoders = NULL;
        snprintf(source, sizeof source, "record r a:text\ntarget t r\n%s\n", wrong[i].encode);
        shunt_program *program = asm_load(source);
        ck_assert_int_eq(shunt_encoders_new(&shunt_memory_libc, program, (shunt_text){ 0 }, &encoders, why), SHUNT_USAGE);
        ck_assert_str_eq(why, wrong[i].why);
        shunt_program_free(program);
    }
}
END_TEST

/* Messages whose nodes are not those that a compiler makes: refused, or written without harm. */
static const char *const of_nodes[] = {
    X12("") " ",
    "encode x12 820 \"005010\" { sender: \"S\"  receiver: part(claim, 1, 15)  segment BPR { 1: \"C\"  2: paid  3: \"C\"  4: "
    "\"CHK\" } for "
    "each record { for each s in "
    "services { segment ENT { 1: nth  2: \"2J\"  3: \"EI\"  4: s.code } segment RMR { 1: \"IV\"  2: s.code  4: s.charge } } } }",
    "encode hl7 \"DFT^P03\" \"2.5.1\" { sending_application: \"S\"  receiving_application: claim  segment EVN { 2: day } segment "
    "PID { 3: for each s in "
    "services { 1: part(s.code, 1, 15)  4: { 1: part(s.code, 1, 15) } } 5: { 1.1: claim } } segment FT1 { 4: day  6: size  7.1: "
    "\"X\"  10: "
    "rate  11: paid } }",
    "encode fhir xml \"4.0.1\" { bundle: \"batch\"  to \"Patient.name[0].given\": for each s in services { to \"\": s.code } to "
    "\"Patient.active\": flag "
    "to \"Patient.contact\": for each s in services { to \"name.text\": s.code  to \"telecom[1].value\": s.code } }",
    "encode fhir json \"4.0.1\" { to \"Patient.text\": { to \"status\": \"additional\"  to \"div\": claim }  "
    "to \"Patient.contained[0].Device.id\": claim  to \"Patient.contained\": for each s in services { to \"Patient.id\": s.code "
    "} }",
};

START_TEST(messages_of_damaged_programs)
{
    struct host    h = host_of(of_nodes[_i], "");
    shunt_program *program = NULL;
    uint64_t       state = (uint64_t)_i + 1;
    unsigned       taken = 0;
    ck_assert_msg(compile(&h, NULL, &program) == SHUNT_DONE, "%s", h.out);
    uint32_t            count = program->message_nodes_count;
    shunt_message_node *nodes = calloc(count, sizeof *nodes);
    shunt_program       changed = *program;
    ck_assert(nodes != NULL && count > 4);
    changed.message_nodes = nodes;
    for (unsigned round = 0; round < 4000; round++) {
        char why[200];
        memcpy(nodes, program->message_nodes, count * sizeof *nodes);
        for (unsigned times = 0; times <= round % 3; times++) {
            static const uint16_t values[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 24, 31, 255, 256, 0xfffe, 0xffff };
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint8_t *bytes = (uint8_t *)&nodes[(state >> 33) % count];
            memcpy(bytes + (state >> 20) % (sizeof *nodes - 1), &values[(state >> 50) % 16], 1 + (state >> 60) % 2);
        }
        if (shunt_program_verify(&shunt_memory_libc, &changed, why) != SHUNT_OK) continue;
        taken++;
        h.length = 0;
        ck_assert(run(&h, &changed, NULL, CLAIM("C1", "80") CLAIM("C2", "-80")) <= SHUNT_RULES_FAULT);
    }
    ck_assert_msg(taken > 50, "%u", taken);
    free(nodes);
    shunt_release(program);
    free(h.out);
}
END_TEST

static const struct {
    const char *encode, *journal;
} of_memory[] = {
    { "encode json { root: \"r\"  money: \"number\"  column services  column claim as \"c\" }",
      "encode json { column claim  column amount }" },
    { "encode csv { encoding: \"ISO-8859-1\"  column claim as \"\xc3\xa9\"  column nth at 4 }", "encode csv { }" },
    { "encode fixed 20 { column claim at 1..10  column day at 11..20 as \"MM/DD/YYYY\" }",
      "encode fixed 9 { column amount at 1..9 as \"N2\" }" },
    { "encode xml { namespace: \"urn:x\"  prefixes: \"a=urn:a\"  fields: \"service.code=@a:c\"  column claim as \"@c\"  column "
      "services }",
      "encode xml { }" },
    { "encode x12 820 \"005010\" { sender: \"S\"  receiver: \"R\"  encoding: \"UTF-8\" segment BPR { 1: \"C\"  2: paid  3: \"C\" "
      " 4: \"CHK\" }"
      " for each s in services { segment ENT { 1: nth  2: \"2J\"  3: \"EI\"  4: s.code } } }",
      "" },
    { HL7("frame: \"mllp\"  encoding: \"UTF-8\""), "" },
    { "encode fhir xml \"4.0.1\" { bundle: \"batch\"  to \"Patient.name[0].given\": for each s in services { to \"\": s.code } "
      "to "
      "\"Patient.active\": flag  to \"Patient.text\": { to \"status\": \"additional\"  to \"div\": claim }  "
      "to \"Patient.contained[0].Device.id\": claim }",
      "" },
};

START_TEST(memory_that_fails)
{
    static const char claims[] = CLAIM("C1", "80") JOURNAL("C2", "5") CLAIM("C1234567890", "7");
    for (int compiling = 0; compiling < 2; compiling++)
        for (size_t n = 1;; n++) {
            struct host        h = host_of(of_memory[_i].encode, of_memory[_i].journal);
            struct test_memory m;
            shunt_program     *program = NULL;
            test_memory_init(&m, n);
            shunt_allocator allocator = { m.memory.allocate, m.memory.resize, m.memory.release, m.memory.context };
            shunt_result    result = compile(&h, compiling ? &allocator : NULL, &program);
            if (!compiling) result = run(&h, program, &allocator, claims);
            ck_assert_msg(result <= SHUNT_INPUT_FAULT || result == SHUNT_SYSTEM_FAULT, "call %zu: result %d\n%s", n, (int)result,
                          h.out);
            shunt_release(program);
            ck_assert_msg(m.blocks == 0, "call %zu: %zu blocks leak", n, m.blocks);
            free(h.out);
            if (m.calls < n) break;
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encode");
    TCase *tc = tcase_create("encode");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, records_are_written_as_the_rules_say, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tc, what_can_not_be_written_does_not_compile, 0, sizeof faults / sizeof *faults);
    tcase_add_test(tc, a_program_that_asks_for_more_is_refused);
    tcase_add_loop_test(tc, messages_of_damaged_programs, 0, sizeof of_nodes / sizeof *of_nodes);
    tcase_add_loop_test(tc, memory_that_fails, 0, sizeof of_memory / sizeof *of_memory);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
