/* What the verifier refuses, a case for each rule, and what it must take. Damage by chance is in test_program.c. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/vm/owner.h"
#include "tests/support/asm.h"

#define F(registers, code) "function f 0 none : " registers "\n" code "FINISH\n"
#define FRAMES                                                                                                                   \
    "codes c 1 2\nframe G group A:dec2 B:text\nframe L loop C:text > G\nframe U loop unit D:text E:date > G L\nframe S set "     \
    "H:int > U\n"
#define NODE(code)                                                                                                               \
    FRAMES "function f 1 none : node:U node:L node:G text dec2 dec3 int date list:node:G list:node:L\n" code "FINISH\n"
#define OUT "record r a:text b?:usd2\ntarget out r key=0\nrecord h d:date\nrecord l c?:text\ntarget gl h journal line=l\n"

static const struct {
    const char *name, *source, *why; /* why NULL: taken */
} cases[] = {
    { "an empty handler", F("", ""), NULL },
    { "nothing at all", "", NULL },
    /* operands */
    { "register beyond the last", F("int", "LOADK 0 int:1\nMOVE 1 0\n"), "no register 1" },
    { "kind of a register", F("int text", "INT_ADD 0 0 1\n"), "register 1 is not of the kind wanted" },
    { "MOVE of another type", F("int text", "MOVE 0 1\n"), "register 1 has another type" },
    { "MOVE of another scale", F("dec2 dec3", "MOVE 0 1\n"), "register 1 has another type" },
    { "MOVE of another currency", F("usd2 eur2", "MOVE 0 1\n"), "register 1 has another type" },
    { "MOVE of another enum", "enum a x\nenum b y\n" F("enum:a enum:b", "MOVE 0 1\n"), "register 1 has another type" },
    { "MOVE of another record", "record a x:int\nrecord b x:int\n" F("row:a row:b", "MOVE 0 1\n"),
      "register 1 has another type" },
    { "MOVE of other items", F("list:int list:text", "MOVE 0 1\n"), "register 1 has another type" },
    { "LOADK of another type", F("dec2", "LOADK 0 dec3:1\n"), "has another type" },
    { "TEXT_IS with a number", F("bool text", "TEXT_IS 0 1 int:1\n"), "is no text" },
    { "RETYPE of another scale", F("dec2 dec3", "RETYPE 0 1\n"), "types do not fit" },
    { "RETYPE of a number to an enum", "enum a x\n" F("enum:a int", "RETYPE 0 1\n"), "types do not fit" },
    { "RETYPE of an enum to another", "enum a x\nenum b x y\n" F("enum:a enum:b", "RETYPE 0 1\n"), "types do not fit" },
    { "RETYPE of lists", F("list:usd2 list:dec2", "RETYPE 0 1\n"), NULL },
    { "RETYPE of lists of other rows", "record a x:int\nrecord b x:int\n" F("list:row:a list:row:b", "RETYPE 0 1\n"),
      "types do not fit" },
    { "global of another type", "global text\n" F("int", "GLOBAL_GET 0 0\n"), "the global has another type" },
    { "no such global", F("int", "GLOBAL_GET 0 0\n"), "no global 0" },
    { "IS_STATE of no state", F("bool", "IS_STATE 0 0 3\n"), "no such state" },
    { "rounding mode", F("dec2 dec3", "DEC_RESCALE 0 1 5\n"), "no rounding mode 5" },
    /* arithmetic */
    { "computing an enum", "enum a x\n" F("enum:a int", "INT_ADD 0 1 1\n"), "an enum can not be computed" },
    { "comparing an enum", "enum a x\n" F("bool enum:a", "INT_EQ 0 1 1\n"), NULL },
    { "counting into an enum", "enum a x\n" F("enum:a list:int", "LIST_COUNT 0 1\n"), "an enum can not be computed" },
    { "NEXT with an enum", "enum a x\n" F("list:int int enum:a", "again:\nNEXT 0 1 2\nJUMP @end\nJUMP @again\nend:\n"),
      "an enum can not be computed" },
    { "scales of a sum", F("dec2 dec3", "DEC_ADD 0 0 1\n"), "register 1 has another type" },
    { "scale of a product", F("dec4 dec2 dec3", "DEC_MUL 0 1 2\n"), "the scale of a product is the sum of both" },
    { "scales compared", F("bool dec2 dec3", "DEC_LT 0 1 2\n"), "scales differ" },
    { "DEC_DIV alone", F("dec2", "DEC_DIV 0 0 0\n"), "an EXTRA must follow" },
    { "EXTRA alone", F("dec2", "EXTRA half_up\n"), "belongs to nothing" },
    { "jump to an EXTRA", F("dec2", "JUMP @in\nDEC_DIV 0 0 0\nin:\nEXTRA half_up\n"),
      "jumps between an instruction and its EXTRA" },
    { "TEXT_OF of a list", F("text list:int", "TEXT_OF 0 1\n"), "has no text" },
    { "TEXT_OF_ENUM of a number", F("text int", "TEXT_OF_ENUM 0 1\n"), "no enum" },
    { "TEXT_JOIN of numbers", F("text text int", "TEXT_JOIN 0 1 2\n"), "texts" },
    { "TEXT_JOIN beyond the registers", F("text text", "TEXT_JOIN 0 1 2\n"), "texts" },
    /* control */
    { "jump back to what is no NEXT", F("", "again:\nNOP\nJUMP @again\n"), "jumps back to what is no NEXT" },
    { "KEEP of another type", F("list:int text int", "KEEP 1 0 2\n"), "items have another type" },
    { "ALLOCATE into another type", F("list:dec2 usd2 list:dec0", "ALLOCATE 0 1 2\n"), "items have another type" },
    { "ALLOCATE by texts", F("list:usd2 usd2 list:text", "ALLOCATE 0 1 2\n"), "weights are decimals" },
    { "RECALL of another type", F("list:int text int", "RECALL 1 0 2\n"), "items have another type" },
    { "RECALL by an enum", "enum a x\n" F("list:int int enum:a", "RECALL 1 0 2\n"), "an enum can not be computed" },
    { "jump to itself", F("", "again:\nJUMP @again\n"), "jumps back to what is no NEXT" },
    { "jump out", F("", "JUMP @end\n") "end:\n", "jumps out of its function" },
    { "NEXT without a JUMP", F("list:int int int", "NEXT 0 1 2\nNOP\n"), "a JUMP and more must follow" },
    { "NEXT at the end", "function f 0 none : list:int int int\nagain:\nNEXT 0 1 2\nJUMP @again\n",
      "a JUMP and more must follow" },
    { "NEXT with other items", F("list:int text int", "again:\nNEXT 0 1 2\nJUMP @end\nJUMP @again\nend:\n"),
      "register 1 is not like an item" },
    { "running off the end", "function f 0 none : int\nLOADK 0 int:1\n", "the function runs off its end" },
    { "FINISH with a result", "function f 0 int : int\nFINISH\n", "a function must return its result" },
    { "RETURN of another type", "function f 0 int : int text\nRETURN 1\n", "the result has another type" },
    { "RETURN of a handler", "function f 0 none : int\nRETURN 0\n", "the result has another type" },
    { "call of itself", "function f 0 int : int\nCALL 0 f\nRETURN 0\n", "function 0 is not before it" },
    { "call of a later one", "function f 0 int : int\nCALL 0 1\nRETURN 0\nfunction g 0 int : int\nRETURN 0\n",
      "function 1 is not before it" },
    { "call of a handler", "function g 0 none :\nFINISH\n" F("int", "CALL 0 g\n"), "a handler can not be called" },
    { "call with another argument", "function g 1 int : int\nRETURN 0\n" F("text int", "CALL 0 g\n"),
      "argument 0 has another type" },
    { "call with too few registers", "function g 1 int : int\nRETURN 0\n" F("int", "CALL 0 g\n"), "arguments out of range" },
    { "call with another result", "function g 1 int : int\nRETURN 0\n" F("int text", "CALL 0 g\n"),
      "the result has another type" },
    { "EXIT by a warning", "code X\nexit warn unit X\n" F("text", "EXIT 0 0\n"), "exit 0 is of another kind" },
    { "WARN by an exit", "code X\nexit reject unit X\n" F("text", "WARN 0 0\n"), "exit 0 is of another kind" },
    { "no such exit", F("text", "EXIT 0 0\n"), "no exit 0" },
    { "message that is no text", "code X\nexit reject unit X\n" F("int", "EXIT 0 0\n"), "register 0 is not of the kind wanted" },
    { "place of an exit in another node", FRAMES "code X\nexit reject unit X D r0\nfunction f 1 none : node:L text\nEXIT 0 1\n",
      "does not hold the node of the slot" },
    { "place of an exit in no node", FRAMES "code X\nexit reject unit X D r1\nfunction f 1 none : node:U text\nEXIT 0 1\n",
      "does not hold the node of the slot" },
    /* pure */
    { "pure with a global", "global int\nfunction f 0 int pure : int\nGLOBAL_GET 0 0\nRETURN 0\n", "not in a pure function" },
    { "pure that reads the message", FRAMES "function f 1 text pure : node:U text\nGET 1 0 D\nRETURN 1\n",
      "not in a pure function" },
    { "pure that calls what is not", "function g 0 int : int\nRETURN 0\nfunction f 0 int pure : int\nCALL 0 g\nRETURN 0\n",
      "a pure function calls one that is not" },
    { "pure with an exit", "code X\nexit reject unit X\nfunction f 0 int pure : int text\nEXIT 0 1\n", "not in a pure function" },
    { "pure with the name of the input", "function f 0 text pure : text\nBUILTIN 0 FILE_ID\nRETURN 0\n",
      "not in a pure function" },
    { "pure with the key", "function f 1 text pure : text text\nBUILTIN 0 TOKENIZE\nRETURN 1\n", "not in a pure function" },
    { "pure handler", "function f 0 none pure :\nFINISH\n", "function 0: result" },
    /* the message */
    { "slots",
      NODE("GET 3 0 D\nGET 7 0 E\nCHILD_FIRST 2 0 0\nGET 4 2 A\nGET_TEXT 3 2 A\nCHILDREN 8 0 0\nCHILDREN 9 0 1\nANCESTOR 0 2\n"),
      NULL },
    { "slot of another frame", NODE("GET 3 1 D\n"), "slot of another frame or type" },
    { "slot of another type", NODE("GET 3 0 E\n"), "slot of another frame or type" },
    { "slot of another scale", NODE("GET 5 2 A\n"), "slot of another frame or type" },
    { "moment of a date", "frame U loop unit A:hl7date\nfunction f 1 none : node:U moment\nGET 1 0 A\nFINISH\n",
      "slot of another frame or type" },
    { "date of a moment", "frame U loop unit A:isomoment\nfunction f 1 none : node:U date\nGET 1 0 A\nFINISH\n",
      "slot of another frame or type" },
    { "bool of a text", "frame U loop unit A:text\nfunction f 1 none : node:U bool\nGET 1 0 A\nFINISH\n",
      "slot of another frame or type" },
    { "exponent of another scale", "frame U loop unit A:exp2\nfunction f 1 none : node:U dec3\nGET 1 0 A\nFINISH\n",
      "slot of another frame or type" },
    { "format that is no pattern", "frame U loop unit A:format/MM/YYYY\n", "slot 0: format" },
    { "one word for two", "frame U loop unit A:bool/yes\n", "slot 0: format" },
    { "no word for true", "frame U loop unit A:bool//no\n", "slot 0: format" },
    { "no word for false", "frame U loop unit A:bool/yes/\n", "slot 0: format" },
    { "currency that is a number", "frame U loop unit CUR:int AMT:dec2@CUR\n", "slot 1: currency" },
    { "currency of a text", "frame U loop unit CUR:text AMT:text@CUR\n", "slot 1: currency" },
    { "zone that no clock has", "zone X 1440\n", "time zone 0" },
    { "zone", "zone X 720 -720\n", NULL },
    { "text of a slot of another frame", NODE("GET_TEXT 3 1 A\n"), "slot of another frame" },
    { "child of another frame", NODE("CHILD_FIRST 2 0 1\n"), "child list of another frame" },
    { "child beyond the last", NODE("CHILD_FIRST 1 0 2\n"), "child list of another frame" },
    { "children of another frame", NODE("CHILDREN 8 0 1\n"), "child list of another frame" },
    { "children as values", FRAMES "function f 1 none : node:U list:text\nCHILDREN 1 0 0\nFINISH\n",
      "child list of another frame" },
    { "first of other items", NODE("LIST_FIRST 1 8\n"), "items have another type" },
    { "push of another item", NODE("LIST_PUSH 8 1 0\n"), "items have another type" },
    { "collect of another frame",
      FRAMES "record r a:dec2\ncollect x L r group=0 needed=0\n| group:A\nfunction f 1 none : node:U list:row:r\nCOLLECT 1 0 "
             "x\nFINISH\n",
      "collector of another frame or record" },
    { "collect of another record",
      FRAMES "record r a:dec2\nrecord s a:dec2\ncollect x L r group=0 needed=0\n| group:A\nfunction f 1 none : node:L "
             "list:row:s\nCOLLECT 1 0 x\nFINISH\n",
      "collector of another frame or record" },
#define SUMMED(field, from, node, to)                                                                                            \
    FRAMES "record r a:" field "\ncollect x L r group=0 needed=0\n| " from "\nfunction f 1 none : node:" node " " to             \
           "\nSUM 1 0 "                                                                                                          \
           "x\nFINISH\n"
    { "sum of another frame", SUMMED("dec2", "group:A", "U", "dec2"), "collector of another frame, or of no such amounts" },
    { "sum of what is no amount", SUMMED("int", "ordinal", "L", "dec2"), "collector of another frame, or of no such amounts" },
    { "sum at another scale", SUMMED("dec2", "group:A", "L", "dec3"), "collector of another frame, or of no such amounts" },
    { "dates of another frame", FRAMES "dates x U E\nfunction f 1 none : node:L date\nEARLIEST 1 0 x\nFINISH\n",
      "dates of another frame" },
    { "dates that are none", FRAMES "dates x U D\n", "dates 0: path 0" },
    { "dates of another way", FRAMES "dates x U 0.E\n", "dates 0: path 0" },
    { "collector with a slot of another frame", FRAMES "record r a:text\ncollect x L r group=0 needed=0\n| group:D\n",
      "collector 0: field 0" },
    { "collector with another type", FRAMES "record r a:text\ncollect x L r group=0 needed=0\n| group:A\n",
      "collector 0: field 0" },
    { "collector without lines", FRAMES "record r a:text\ncollect x L r group=0 needed=0\n| line:C\n", "collector 0: field 0" },
    { "collector with a wrong list", FRAMES "record r a:dec2\ncollect x L r group=1 needed=0\n| group:A\n",
      "collector 0: child list" },
    { "collector with groups of two frames",
      FRAMES "record r a:dec2\ncollect x U r group=1 line=1 line_group=0 needed=0\n| group:A\n", "groups of two frames" },
    { "collector that needs no field", FRAMES "record r a:dec2\ncollect x L r group=0 needed=1\n| group:A\n",
      "collector 0: fields" },
    { "collector with an alternative of the line without lines",
      FRAMES "record r a:dec2 b?:text\ncollect x L r group=0 needed=0\n| group:A first:.C\n", "collector 0: field 1" },
    { "twice without group and reason",
      FRAMES "record r a:dec2 b:text c:text\ncollect x L r group=0 needed=0 twice\n| group:A group:B group:B\n",
      "group, reason and amount" },
    /* lists and rows */
    { "row of other registers", "record r a:text b:int\n" F("row:r text text", "ROW_NEW 0 1 0\n"),
      "registers are not as the record" },
    { "row beyond the registers", "record r a:text b:int\n" F("row:r text", "ROW_NEW 0 1 0\n"),
      "registers are not as the record" },
    { "field beyond the last", "record r a:text\n" F("row:r text", "FIELD 1 0 1\n"), "no such field, or of another type" },
    { "field of another type", "record r a:text\n" F("row:r int", "FIELD 1 0 0\n"), "no such field, or of another type" },
    /* tables */
    { "look-up of another row",
      "record r k:text v:int\nrecord s k:text v:int\ntable t r keys=1\n" F("row:s text", "LOOKUP 0 1 t\n"),
      "row of another table" },
    { "look-up with another key", "record r k:text v:int\ntable t r keys=1\n" F("row:r int", "LOOKUP 0 1 t\n"),
      "key 0 has another type" },
    { "look-up without a day", "record r k:text f?:date t?:date\ntable t r keys=1 effective\n" F("row:r text", "LOOKUP 0 1 t\n"),
      "keys out of range" },
    { "look-up with a day that is none",
      "record r k:text f?:date t?:date\ntable t r keys=1 effective\n" F("row:r text int", "LOOKUP 0 1 t\n"),
      "a date must follow the keys" },
    { "table without keys", "record r k:text\ntable t r keys=0\n", "table 0: keys" },
    { "table with more keys than columns", "record r k:text\ntable t r keys=2\n", "table 0: keys" },
    { "table whose days are none", "record r k:text f?:text t?:date\ntable t r keys=1 effective\n", "no dates" },
    { "prefix that is no text", "record r k:int\ntable t r keys=1 prefix\n", "a prefix is a text" },
    { "range by prefix", "record r k:text\ntable t r keys=1 prefix range\n", "a range has an order" },
    { "range of bools", "record r k:bool\ntable t r keys=1 range\n", "a range has an order" },
    { "two rows of one range", "record r k:int v:int\ntable t r keys=1 range\n| 1 1\n| 2 2\n| 1 2\n",
      "two rows have the same key" },
    { "table with lists", "record r k:text v:list:int\ntable t r keys=1\n", "can not stand in a table" },
    { "row without a key", "record r k:text v:int\ntable t r keys=1\n| - 1\n", "row 0, column 0 has no value" },
    { "row without a key before a prefix", "record r k:text p:text\ntable t r keys=2 prefix\n| - 1\n",
      "row 0, column 0 has no value" },
    { "two rows of one key", "record r k:text v:int\ntable t r keys=1\n| a 1\n| a 2\n", "two rows have the same key" },
    { "two blank prefixes", "record r k:text v:int\ntable t r keys=1 prefix\n| - 1\n| - 2\n", "two rows have the same key" },
    { "call of a library with other values", "extern x lib int int\n" F("text int", "EXTERN 0 x\n"), "value 0 has another type" },
    { "call of a library beyond the registers", "extern x lib int int\n" F("int", "EXTERN 0 x\n"), "arguments out of range" },
    { "library with a path", "extern x ../lib int\n", "extern function 0: library" },
    { "library that is given rows", "record r a:text\nextern x lib row:r int\n", "type 0 of the extern functions" },
    { "decision of other values", "decision d 1\n| text - - 0\n" F("int int", "DECIDE 0 1 d\n"), "value 0 has another type" },
    { "decision beyond the registers", "decision d 1\n| text - - 0\n| text - - 0\n" F("int text", "DECIDE 0 1 d\n"),
      "values out of range" },
    { "number of a row that is a member", "enum e a b\ndecision d 1\n| text - - 0\n" F("enum:e text", "DECIDE 0 1 d\n"),
      "an enum can not be computed" },
    { "decision with points that fall", "decision d 1\n| int - - 0 2=0 1=0\n", "decision 0: column 0" },
    { "decision with equal texts", "decision d 1\n| text - - 0 a=0 a=0\n", "decision 0: column 0" },
    { "decision without its sets", "decision d 1\n| int ordered - - 0 2=0\n", "decision 0: column 0" },
    { "decision of more rows than its sets hold", "decision d 65\n| int - - 0\n", "decision 0: column 0" },
    { "decision of too many rows", "decision d 4097\n", "decision 0" },
    { "decision of moments", "decision d 1\n| moment - - 0\n", "decision 0: column 0" },
    { "enum beyond its members", "enum e a b\nrecord r k:text v:enum:e\ntable t r keys=1\n| a 2\n", "row 0, column 1: value" },
    { "bool that is neither", "record r k:text v:bool\ntable t r keys=1\n| a 2\n", "row 0, column 1: value" },
    { "constant beyond its enum", "enum e a b\n" F("enum:e", "LOADK 0 enum:e:2\n"), "constant 0: value" },
    { "code list that is not sorted", "codes c 2 1\n", "code list 0 is not sorted" },
    { "code list with one twice", "codes c 1 1\n", "code list 0 is not sorted" },
    /* totals, built-ins */
    { "tally of another type", "tally t usd2\n" F("eur2", "TALLY_ADD t 0 0\n"), "the tally has another type" },
    { "tally of texts", "tally t text\n", "adds no numbers" },
    { "group that is no text", "record g k:text v:usd2\ntally t usd2 by=g\n" F("usd2 int", "TALLY_ADD t 0 1\n"),
      "the group is no text" },
    { "groups of what has none", "tally t usd2\n" F("usd2 text", "TALLY_ADD t 0 1\n"), "the tally has no groups" },
    { "groups by number", "record g k:int v:usd2\ntally t usd2 by=g\n", "tally 0: groups" },
    { "reading groups as a number", "record g k:text v:usd2\ntally t usd2 by=g\n" F("usd2", "TALLY_GET 0 t\n"),
      "the tally has another type" },
    { "built-in with another argument", F("int int", "BUILTIN 0 UPPER\n"), "argument 0 of UPPER has another type" },
    { "built-in with another result", F("text int", "BUILTIN 0 UPPER\n"), "result of UPPER has another type" },
    { "built-in beyond the registers", F("text", "BUILTIN 0 UPPER\n"), "arguments out of range" },
    { "percent of two scales", F("dec2 dec3 int text dec4", "BUILTIN 0 PERCENT_CHANGE\n"), "scales differ" },
    { "occurrence of numbers", F("int int", "OCCURRENCE 0 1 1\n"), "texts" },
    { "too many texts", F("text", "CORRELATE 0 65\n"), "texts" },
    /* records */
    { "a record and a journal", OUT F("text usd2 date text", "EMIT out 0\nJOURNAL gl 1\nLINE 0 0\n"),
      "columns are not as the target says" },
    { "columns of a journal", OUT F("text usd2 text date", "JOURNAL gl 3 2\nLINE 0 0 1\nPOST 3 0 1\n"), NULL },
    { "columns of a journal that are none", OUT F("text usd2 text date", "JOURNAL gl 3 1\nLINE 0 0 1\nPOST 3 0 1\n"),
      "columns are not as the target says" },
    { "columns of a journal beyond the registers", OUT F("text usd2 text date", "JOURNAL gl 3 9\nLINE 0 0 1\nPOST 3 0 1\n"),
      "columns are not as the target says" },
    { "columns of a target without any",
      "record h d:date\ntarget gl h journal\n" F("text usd2 date", "JOURNAL gl 3 0\nPOST 2 0 1\n"),
      "columns are not as the target says" },
    { "flags of a journal", OUT F("text usd2 text date", "JOURNAL gl 4\nPOST 3 0 1\n"), "flags" },
    { "more columns left to the journal than there are", OUT F("text usd2 text date", "JOURNAL gl 3 2\nLINE 0 0 2\nPOST 3 0 1\n"),
      "columns are not as the target says" },
    { "columns left to the journal of a target without any",
      "record h d:date\ntarget gl h journal\n" F("text usd2 date", "JOURNAL gl 0\nLINE 0 0 1\nPOST 2 0 1\n"),
      "columns of a target without any" },
    { "a line", OUT F("text usd2 text date", "EMIT out 0\nJOURNAL gl 1\nLINE 0 0\nPOST 3 0 1\n"), NULL },
    { "record from a function", OUT "function f 0 int : text usd2 int\nEMIT out 0\nRETURN 2\n",
      "records leave from handlers alone" },
    { "journal from a function", OUT "function f 0 int : int\nJOURNAL gl 0\nRETURN 0\n", "records leave from handlers alone" },
    { "emit of a journal", OUT F("date", "EMIT gl 0\n"), "target 1 is a journal" },
    { "journal of a record", OUT F("", "JOURNAL out 0\n"), "target 0 is no journal" },
    { "emit of other fields", OUT F("text text", "EMIT out 0\n"), "registers are not as the target" },
    { "line outside", OUT F("text usd2 text", "LINE 0 0\n"), "no journal is open" },
    { "post outside", OUT F("date text", "POST 0 1 1\n"), "no journal is open" },
    { "journal in a journal", OUT F("date text", "JOURNAL gl 0\nJOURNAL gl 0\nPOST 0 1 1\n"), "a journal is open" },
    { "journal left open", OUT F("", "JOURNAL gl 0\n"), "a journal is open" },
    { "journal left by an exit", OUT "code X\nexit reject unit X\nfunction f 0 none : date text\nJOURNAL gl 0\nEXIT 0 1\n",
      NULL },
    { "journal open on one way", OUT F("bool date text", "JUMP_TRUE 0 @over\nJOURNAL gl 0\nover:\nPOST 1 2 1\n"),
      "a journal is open on one way" },
    { "lines in a loop",
      OUT F("list:text text int text usd2 text date",
            "JOURNAL gl 0\nagain:\nNEXT 0 1 2\nJUMP @end\nLINE 3 0\nJUMP @again\nend:\nPOST 6 1 1\n"),
      NULL },
    { "journal begun in a loop",
      OUT F("list:text text int text usd2 text date", "again:\nNEXT 0 1 2\nJUMP @end\nJOURNAL gl 0\nJUMP @again\nend:\n"),
      "a journal is open on one way" },
    { "lines behind an exit",
      OUT "code X\nexit reject unit X\nfunction f 0 none : text usd2 text date bool\nJOURNAL gl 0\nJUMP_TRUE 4 @bad\nLINE 0 "
          "0\nPOST 3 0 1\nFINISH\nbad:\nEXIT 0 0\n",
      NULL },
    { "key of numbers", OUT F("date int", "JOURNAL gl 0\nPOST 0 1 1\n"), "key is not made of texts" },
    { "line without an amount", OUT F("text text text date", "JOURNAL gl 0\nLINE 0 0\nPOST 3 0 1\n"), "account and amount" },
    { "flags of a line", OUT F("text usd2 text date", "JOURNAL gl 0\nLINE 0 4\nPOST 3 0 1\n"), "flags" },
    { "header of other fields", OUT F("text usd2 text date", "JOURNAL gl 0\nPOST 0 0 1\n"), "header is not as the target says" },
    { "lines of what is no journal", "record r a:text\ntarget t r line=r\n", "lines of what is no journal" },
    { "balance by nothing", "record r a:text\ntarget t r journal balance=0\n", "balance by" },
    { "accounts by number", "record r a:int\ntable c r keys=1\nrecord h a:text\ntarget t h journal accounts=c\n", "accounts" },
    { "accounts by prefix", "record r a:text\ntable c r keys=1 prefix\nrecord h a:text\ntarget t h journal accounts=c\n",
      "accounts" },
    { "key beyond the fields", "record r a:text\ntarget t r key=1\n", "target 0: key 0" },
    { "key that is a list", "record r a:list:int\ntarget t r key=0\n", "target 0: key 0" },
    { "field that holds a node", FRAMES "record r a:node:U\n", "field 0" },
    { "length of a number", "record r a:int/5\n", "length of what is no text" },
};

START_TEST(rules)
{
    char         why[200] = "";
    shunt_status status = asm_try(cases[_i].source, why);
    if (!cases[_i].why)
        ck_assert_msg(status == SHUNT_OK, "%s: %s", cases[_i].name, why);
    else
        ck_assert_msg(status == SHUNT_PROGRAM_BAD && strstr(why, cases[_i].why), "%s: %d %s", cases[_i].name, status, why);
}
END_TEST

/* A good program, one of its sections changed as no assembler would, saved and loaded again. */
static shunt_status again(const shunt_program *p, char why[static 200])
{
    shunt_buffer   bytes;
    shunt_program *loaded = NULL;
    shunt_buffer_init(&bytes, &shunt_memory_libc);
    ck_assert_int_eq(shunt_program_save(p, &bytes), SHUNT_OK);
    shunt_status status = shunt_program_load(&shunt_memory_libc, (const uint8_t *)bytes.bytes, bytes.length, &loaded, why);
    if (status == SHUNT_OK) shunt_program_free(loaded);
    shunt_buffer_done(&bytes);
    return status;
}

static void refused(const shunt_program *p, const char *wanted)
{
    char         why[200] = "";
    shunt_status status = again(p, why);
    ck_assert_msg(status == SHUNT_PROGRAM_BAD && strstr(why, wanted), "wanted `%s`: %d %s", wanted, status, why);
}

START_TEST(circles)
{
    shunt_program *p = asm_load("record a x:int\nrecord b x:list:row:a\nrecord c x:row:b\n");
    shunt_field    fields[3];
    memcpy(fields, p->fields, sizeof fields);
    shunt_program changed = *p;
    changed.fields = fields;
    fields[0].type = (shunt_type){ .kind = SHUNT_KIND_LIST, .element = SHUNT_KIND_ROW, .record = 2 };
    refused(&changed, "in a circle");
    fields[0].type = (shunt_type){ .kind = SHUNT_KIND_ROW, .record = 0 };
    refused(&changed, "in a circle");
    shunt_program_free(p);
}
END_TEST

START_TEST(depth_of_records)
{
    char source[1000] = "record r0 x:int\n", why[200];
    for (int i = 1; i <= 8; i++) snprintf(source + strlen(source), 100, "record r%d x:row:r%d\n", i, i - 1);
    ck_assert_int_eq(asm_try(source, why), SHUNT_OK);
    strcat(source, "record r9 x:row:r8\n");
    ck_assert_int_eq(asm_try(source, why), SHUNT_PROGRAM_BAD);
    ck_assert_ptr_nonnull(strstr(why, "too deep"));
}
END_TEST

START_TEST(texts)
{
    shunt_program *p = asm_load("text hello\n");
    shunt_text     list[9] = { 0 };
    shunt_program  changed = *p;
    ck_assert_uint_le(p->texts_count, SHUNT_COUNT(list));
    memcpy(list, p->texts, sizeof *list * p->texts_count);
    changed.texts = list;
    list[1] = SHUNT_TEXT("\xc3");
    refused(&changed, "text 1 is not UTF-8");
    list[1] = SHUNT_TEXT("\xed\xa0\x80");
    refused(&changed, "text 1 is not UTF-8");
    list[1] = p->texts[1];
    list[0] = SHUNT_TEXT("x");
    refused(&changed, "text 0 must be there and empty");
    changed.texts_count = 0;
    refused(&changed, "text 0 must be there and empty");
    shunt_program_free(p);
}
END_TEST

START_TEST(values)
{
    static const struct {
        shunt_type  type;
        shunt_value value;
        bool        good;
    } constants[] = {
        { { .kind = SHUNT_KIND_DATE }, { .integer = -719162 }, true }, /* 0001-01-01 */
        { { .kind = SHUNT_KIND_DATE }, { .integer = -719163 }, false },
        { { .kind = SHUNT_KIND_DATE }, { .integer = 2932896 }, true }, /* 9999-12-31 */
        { { .kind = SHUNT_KIND_DATE }, { .integer = 2932897 }, false },
        { { .kind = SHUNT_KIND_MOMENT }, { .integer = INT64_MAX }, false },
        { { .kind = SHUNT_KIND_BOOL }, { .integer = 2 }, false },
        { { .kind = SHUNT_KIND_TEXT }, { .integer = 99 }, false },
        { { .kind = SHUNT_KIND_TEXT }, { .integer = -1 }, false },
        { { .kind = SHUNT_KIND_INT, .extra = 1 }, { .integer = 0 }, false }, /* no enum */
        { { .kind = SHUNT_KIND_DECIMAL, .scale = 38 }, { .integer = 1 }, true },
        { { .kind = SHUNT_KIND_DECIMAL, .scale = 39 }, { .integer = 1 }, false },
        { { .kind = SHUNT_KIND_LIST, .element = SHUNT_KIND_INT }, { .integer = 0 }, false },
        { { .kind = SHUNT_KIND_NONE }, { .integer = 0 }, false },
        { { .kind = SHUNT_KIND_COUNT }, { .integer = 0 }, false },
    };
    shunt_program *p = asm_load("");
    char           why[200];
    for (size_t i = 0; i <= SHUNT_COUNT(constants); i++) {
        shunt_constant c;
        memset(&c, 0, sizeof c);
        shunt_program changed = *p;
        changed.constants = &c;
        changed.constants_count = 1;
        bool good = false;
        if (i < SHUNT_COUNT(constants)) {
            c.type = constants[i].type;
            c.value = constants[i].value;
            if (c.type.kind == SHUNT_KIND_DECIMAL) c.value = (shunt_value){ .coefficient = constants[i].value.integer };
            good = constants[i].good;
        } else { /* 39 digits */
            c.type = (shunt_type){ .kind = SHUNT_KIND_DECIMAL };
            c.value = (shunt_value){ .coefficient = (__int128)INT64_C(10000000000000000) * INT64_C(1000000000000000000) * 10000 };
        }
        ck_assert_msg((again(&changed, why) == SHUNT_OK) == good, "%zu: %s", i, why);
    }
    shunt_program_free(p);
}
END_TEST

START_TEST(what_runs_when)
{
    shunt_program *p = asm_load(FRAMES "code X\nexit skip unit -\nexit reject unit X\nfunction set 1 none : "
                                       "node:S\nFINISH\nfunction unit 1 none : node:U\nFINISH\nfunction none 0 none :\nFINISH\n"
                                       "function value 1 int : node:S int\nGET 1 0 H\nRETURN 1\n");
    const uint16_t set = asm_function(p, "set"), unit = asm_function(p, "unit"), none = asm_function(p, "none"),
                   value = asm_function(p, "value");
    shunt_map_entry map = { .at_start = set,
                            .early = SHUNT_NONE,
                            .late = none,
                            .at_end = set,
                            .at_end_batch = none,
                            .at_end_file = SHUNT_NONE,
                            .on_error = 1,
                            .source_error = SHUNT_NONE };
    shunt_handler   handler = { .frame = 2, .function = unit };
    shunt_tally     tally = {
            .declared = 1, .frame = 3, .function = value, .record = SHUNT_NONE, .type = { .kind = SHUNT_KIND_INT }
    };
    shunt_program changed = *p;
    char          why[200] = "";
    changed.maps = &map, changed.maps_count = 1, changed.handlers = &handler, changed.handlers_count = 1,
    changed.tallies = &tally, changed.tallies_count = 1;
    ck_assert_msg(again(&changed, why) == SHUNT_OK, "%s", why);
#define TRY(member, wrong_value, wanted)                                                                                         \
    do {                                                                                                                         \
        uint16_t old_ = (uint16_t)(member);                                                                                      \
        (member) = (wrong_value);                                                                                                \
        refused(&changed, wanted);                                                                                               \
        (member) = old_;                                                                                                         \
    } while (0)
    TRY(map.at_start, unit, "map 0: function");
    TRY(map.at_start, value, "map 0: function");
    TRY(map.early, 4, "map 0: function");
    TRY(map.at_end_batch, set, "map 0: function");
    TRY(map.on_error, 0, "can not be skipped");
    TRY(map.on_error, 2, "map 0: exit");
    TRY(map.source, 1, "map 0");
    TRY(map.widest, 9, "map 0");
    TRY(handler.frame, 1, "handler 0");
    TRY(handler.frame, 9, "handler 0");
    TRY(handler.function, set, "handler 0: function");
    TRY(handler.function, SHUNT_NONE, "handler 0: function");
    TRY(tally.function, set, "tally 0: function");
    TRY(tally.frame, 2, "tally 0: function");
    TRY(tally.type.kind, SHUNT_KIND_DECIMAL, "tally 0: function");
    TRY(tally.scope, 9, "tally 0");
    TRY(tally.declared, 2, "tally 0: groups of no tally");
    ck_assert_msg(again(&changed, why) == SHUNT_OK, "%s", why);
    shunt_program_free(p);
}
END_TEST

START_TEST(encodings)
{
    shunt_program *p =
        asm_load("record h d:date\nrecord l c:text\nrecord w a:text\ntarget gl h journal line=l\ntarget out w key=0\n");
    shunt_encoding        encoding = { .kind = SHUNT_ENCODE_CSV, .column_count = 1 };
    shunt_encoding_column column = { .field = 0, .name = SHUNT_NONE, .format = SHUNT_NONE };
    shunt_target          targets[2];
    shunt_program         changed = *p;
    char                  why[200];
    memcpy(targets, p->targets, sizeof targets);
    changed.targets = targets, changed.encodings = &encoding, changed.encodings_count = 1, changed.encoding_columns = &column,
    changed.encoding_columns_count = 1;
    static const struct {
        uint16_t target, field;
        bool     good;
    } at[] = {
        { 0, 0, true },      { 0, 1, false },      { 0, 0x8000, true }, { 0, 0x8001, false }, { 0, 0xfffb, true },
        { 0, 0xfffd, true }, { 0, 0xfffe, false }, { 1, 0, true },      { 1, 0x8000, false }, { 1, 0xfffc, false },
    };
    for (size_t i = 0; i < SHUNT_COUNT(at); i++) {
        targets[0].encoding = targets[1].encoding = SHUNT_NONE;
        targets[at[i].target].encoding = 0;
        column.field = at[i].field;
        ck_assert_msg((again(&changed, why) == SHUNT_OK) == at[i].good, "%zu: %s", i, why);
    }
    column.field = 0;
    encoding.setting_count = 1;
    encoding.setting_first = changed.numbers_count;
    refused(&changed, "encoding 0");
    encoding.setting_count = 0;
    encoding.column_count = 2;
    refused(&changed, "encoding 0");
    shunt_program_free(p);
}
END_TEST

/* Functions of many registers that call each other are refused before a stack is asked for. */
START_TEST(the_public_way_in)
{
    shunt_program *p = asm_load(asm_samples[0]);
    char           why[200];
    ck_assert_int_eq(shunt_program_verify(&shunt_memory_libc, p, why), SHUNT_OK);
    shunt_program changed = *p;
    changed.constants_count = 0;
    ck_assert_int_eq(shunt_program_verify(&shunt_memory_libc, &changed, why), SHUNT_PROGRAM_BAD);
    shunt_program_free(p);
}
END_TEST

START_TEST(stack_is_bounded)
{
    char              why[200];
    shunt_program    *p = asm_load("function a 0 int : int\nRETURN 0\nfunction b 0 int : int\nCALL 0 a\nRETURN 0\n");
    shunt_function    functions[40];
    shunt_type       *types = calloc(4096, sizeof *types);
    shunt_instruction code[80];
    ck_assert_ptr_nonnull(types);
    for (int i = 0; i < 4096; i++) types[i].kind = SHUNT_KIND_INT;
    for (uint16_t i = 0; i < 40; i++) {
        functions[i] =
            (shunt_function){ .registers = 4096, .code_first = i * 2u, .code_count = 2, .result = { .kind = SHUNT_KIND_INT } };
        code[i * 2] = i ? (shunt_instruction){ SHUNT_OP_CALL, 0, (uint16_t)(i - 1), 0 } : (shunt_instruction){ 0 };
        code[i * 2 + 1] = (shunt_instruction){ .op = SHUNT_OP_RETURN };
    }
    shunt_program changed = *p;
    changed.functions = functions, changed.register_types = types, changed.register_types_count = 4096,
    changed.instructions = code, changed.instructions_count = 80;
    changed.functions_count = 16; /* 16 * 4096 is just enough */
    ck_assert_msg(again(&changed, why) == SHUNT_OK, "%s", why);
    changed.functions_count = 17;
    refused(&changed, "calls need more than");
    functions[0].registers = 4097;
    refused(&changed, "function 0");
    functions[0].registers = 4096;
    functions[1].code_first = 1;
    refused(&changed, "function 1: code");
    free(types);
    shunt_program_free(p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("verify");
    TCase *tc = tcase_create("verify");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, rules, 0, SHUNT_COUNT(cases));
    tcase_add_test(tc, circles);
    tcase_add_test(tc, depth_of_records);
    tcase_add_test(tc, texts);
    tcase_add_test(tc, values);
    tcase_add_test(tc, what_runs_when);
    tcase_add_test(tc, encodings);
    tcase_add_test(tc, the_public_way_in);
    tcase_add_test(tc, stack_is_bounded);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
