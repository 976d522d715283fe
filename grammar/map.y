/* map.y - the productions of the map language (docs: language, "Grammar"). LALR(1) without conflicts.
 * No semicolons, line ends are white space: every declaration, statement and row starts with its own keyword, so the next word
 * always ends an expression. What is legal but wrong is left to the checker, which says so better than a grammar can.
 * A push parser: recover.c offers it a word only after `shunt_map_accepts` has tried that word on a copy of the stack (which is
 * what parse.lac does, for several words at a time), so that a slip can be mended before the parser meets it. */
%code requires {
#include "grammar/tree.h"
}
%code {
#include "grammar/recover.h"

/* Trees are bounded by brackets and the stack by this, so it need not grow: what does not fit is E0912. */
#define YYINITDEPTH  SHUNT_STACK_DEPTH
#define YYMAXDEPTH   SHUNT_STACK_DEPTH
#define YYMALLOC(n)  ((void)(n), (void *)NULL)
#define YYFREE(p)    ((void)(p))

/* From the first to the last part that is not empty, so that a span holds no blanks or comments around its construct. */
#define YYLLOC_DEFAULT(current, parts, n)                                                           \
    do {                                                                                            \
        int first_ = 1, last_ = (n);                                                                \
        while (first_ < last_ && is_empty(YYRHSLOC(parts, first_))) first_++;                       \
        while (last_ > first_ && is_empty(YYRHSLOC(parts, last_))) last_--;                         \
        if (n) {                                                                                    \
            (current)     = YYRHSLOC(parts, first_);                                                \
            (current).end = YYRHSLOC(parts, last_).end;                                             \
        } else {                                                                                    \
            (current)       = YYRHSLOC(parts, 0);                                                   \
            (current).begin = (current).end;                                                        \
        }                                                                                           \
    } while (0)

/* The stack is full; recover.c says so when the push comes back. A word that does not fit never gets this far. */
static void
yyerror(const shunt_span *at, shunt_parse *p, const char *message)
{
    (void)at, (void)p, (void)message;
}

static inline bool is_empty(shunt_span at) { return at.begin == at.end; }

static shunt_text
text_of(const shunt_ast *word)
{
    return word ? word->text : (shunt_text){ NULL, 0 };
}

static shunt_ast *
part(const shunt_ast *pair, int which)
{
    return pair ? pair->kids[which] : NULL;
}

static shunt_text
mark_text(shunt_span at)
{
    return is_empty(at) ? (shunt_text){ NULL, 0 } : SHUNT_TEXT("?");
}

static shunt_text
fail_text(shunt_span at)
{
    return is_empty(at) ? (shunt_text){ NULL, 0 } : SHUNT_TEXT("may fail");
}

}
%define api.pure full
%define api.push-pull push
%define api.prefix {shunt_map_}
%define api.token.prefix {T_}
%define api.value.type {shunt_ast *}
%define api.location.type {shunt_span}
%expect 0
%locations
%param {shunt_parse *p}

%token MODULE "module" VERSION "version" EDITION "edition" IMPORT "import" AS "as" FROM "from" INTO "into"
%token OPEN "open" LET "let" SOURCE "source" IS "is" SEGMENT "segment" AFTER "after" COLUMN "column" PHI "phi"
%token RECORD "record" TARGET "target" ACCEPTS "accepts" ENCODE "encode" KEY "key"
%token TABLE "table" EFFECTIVE "effective" THROUGH "through" TO "to" LIST "list" OF "of" MAX "max"
%token ENUM "enum" CODES "codes" ACK "ack" QUEUE "queue"
%token DECIDE "decide" UNIQUE "unique" FIRST "first" WHEN "when" ELSE "else" ANY "any"
%token FUNCTION "function" EXTERN "extern" RETURN "return" COST "cost" MAY "may" FAIL "fail"
%token OVERLAY "overlay" REPLACE "replace" EXCEPTIONS "exceptions" BEFORE "before"
%token MAP "map" CORRELATE "correlate" ON "on" ERROR "error" TALLY "tally" PER "per" BY "by" LIMIT "limit"
%token AT "at" START "start" END "end" FOR "for" EACH "each" IN "in" WHERE "where" STEP "step"
%token IF "if" THEN "then" MATCH "match" CHECK "check" ADD "add" JOURNAL "journal" EMIT "emit"
%token DEBIT "debit" CREDIT "credit" REMAINDER "remainder" WITH "with"
%token REJECT "reject" QUARANTINE "quarantine" WARN "warn" SKIP "skip" WHOLE "whole"
%token OTHERWISE "otherwise" CLEARED "cleared" NOTING "noting" ABSENT "absent" PRESENT "present"
%token AND "and" OR "or" NOT "not" NOTIN "not in" TRUE "true" FALSE "false"
%token TEST "test" GIVEN "given" EXPECT "expect" NOTHING "nothing" GOLDEN "golden"
%token IDENT "name" ELEM "element" LOOPID "loop id" INT "integer" DECIMAL "decimal" MONEY "amount of money"
%token PERCENT "percentage" DATE "date" DURATION "duration"
%token STRING "string" TSTART "start of template" TMID "middle of template" TEND "end of template" TEXTBLOCK "text block"
%token ARROW "->" FATARROW "=>" DOTDOT ".." NE "!=" LE "<=" GE ">="

%left OTHERWISE CLEARED NOTING
%precedence IFELSE
%left OR
%left AND
%precedence NOT
%left '=' NE '<' '>' LE GE IN NOTIN IS      /* a chain is E0103, said by its constructor */
%left '+' '-'
%left '*' '/'
%precedence UMINUS

%start file
%%
file        : header decls                      { p->module = $$ = shunt_tree_attribute(p, @$, $1, SHUNT_MODULE_decls, $2); } ;
header      : MODULE qname VERSION STRING edition_opt { $$ = shunt_tree_documented(p, NODE(MODULE, @$, $2, $4, $5, NULL)); }
            | error                             { $$ = NODE(MODULE, @$, LEAF(ERROR, @$), LEAF(ERROR, @$), NULL, NULL); } ;
edition_opt : %empty                            { $$ = NULL; }
            | EDITION INT                       { $$ = $2; } ;
qname       : IDENT
            | qname '.' IDENT                   { $$ = shunt_tree_qualify(p, @$, $1, $3); } ;
decls       : %empty                            { $$ = LIST(@$); }
            | decls decl                        { $$ = ADD($1, $2); } ;
decl        : import | source | target | table | enum | codes | let | decide
            | OPEN let                          { $$ = shunt_tree_open(p, $2, @$); }
            | OPEN decide                       { $$ = shunt_tree_open(p, $2, @$); }
            | OPEN table                        { $$ = shunt_tree_open(p, $2, @$); }
            | function | extern | map | overlay | test | test_table | golden
            | error                             { $$ = LEAF(ERROR, @$); } ;
import      : IMPORT STRING alias_opt           { $$ = NODE(IMPORT, @$, $2, NULL, $3); }
            | IMPORT qname VERSION STRING alias_opt { $$ = NODE(IMPORT, @$, $2, $4, $5); } ;
alias_opt   : %empty                            { $$ = NULL; }
            | AS IDENT                          { $$ = $2; } ;
let         : LET IDENT type_opt '=' expr       { $$ = NODE(LET, @$, $2, $3, $5); } ;
type_opt    : %empty                            { $$ = NULL; }
            | ':' type                          { $$ = $2; } ;
setting     : IDENT ':' expr                    { $$ = NODE(SETTING, @$, $1, $3); }
            | IDENT ':' ABSENT                  { $$ = NODE(SETTING, @$, $1, LEAF(ABSENT_PATTERN, @3)); } ;
idents      : IDENT                             { $$ = ADD(LIST(@$), $1); }
            | idents ',' IDENT                  { $$ = ADD($1, $3); } ;
strings     : STRING                            { $$ = ADD(LIST(@$), $1); }
            | strings OR STRING                 { $$ = ADD($1, $3); } ;
string_opt  : %empty                            { $$ = NULL; }
            | STRING ;

/* ---- types ---- */
type        : qname type_args opt_mark phi      { $$ = NODE_TEXT(TYPE, @$, mark_text(@3), $1, $2, $4); }
            | LIST OF type MAX INT              { $$ = NODE(LIST_TYPE, @$, $3, $5); } ;
type_args   : %empty                            { $$ = LIST(@$); }
            | '(' type_arg_list ')'             { $$ = $2; } ;
type_arg_list : type_arg                        { $$ = ADD(LIST(@$), $1); }
            | type_arg_list ',' type_arg        { $$ = ADD($1, $3); } ;
type_arg    : INT | IDENT | STRING ;
opt_mark    : %empty                            { $$ = NULL; }
            | '?'                               { $$ = NULL; } ;
phi         : %empty                            { $$ = LIST(@$); }
            | PHI IDENT                         { $$ = ADD(LIST(@$), $2); }
            | PHI '(' idents ')'                { $$ = $3; } ;

/* ---- what comes in ---- */
source      : SOURCE IDENT IS IDENT source_args source_body { $$ = NODE(SOURCE, @$, $2, $4, $5, $6); } ;
source_args : %empty                            { $$ = LIST(@$); }
            | source_args source_arg            { $$ = ADD($1, $2); } ;
source_arg  : IDENT | INT | strings ;
source_body : %empty                            { $$ = LIST(@$); }
            | '{' source_items '}'              { $$ = $2; } ;
source_items: %empty                            { $$ = LIST(@$); }
            | source_items source_item          { $$ = ADD($1, $2); } ;
source_item : setting
            | ON ERROR exit                     { $$ = NODE(ON_ERROR, @$, $3); }
            | SEGMENT IDENT AFTER IDENT '{' zfields '}' { $$ = NODE(CUSTOM_SEGMENT, @$, $2, $4, $6); }
            | column
            | KEY span                          { $$ = NODE(KEY_PLACE, @$, $2); }
            | RECORD IDENT in_opt WHEN strings '{' columns '}' { $$ = NODE(RECORD, @$, $2, $3, $5, $7); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
zfields     : %empty                            { $$ = LIST(@$); }
            | zfields zfield                    { $$ = ADD($1, $2); } ;
zfield      : INT ':' type string_opt           { $$ = NODE(CUSTOM_FIELD, @$, $1, $3, $4); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
columns     : %empty                            { $$ = LIST(@$); }
            | columns column                    { $$ = ADD($1, $2); }
            | columns error                     { $$ = ADD($1, LEAF(ERROR, @2)); } ;
column      : COLUMN IDENT span_opt ':' type format_opt string_opt { $$ = NODE(COLUMN, @$, $2, $3, $5, $6, $7); } ;
format_opt  : %empty                            { $$ = NULL; }
            | AS STRING                         { $$ = $2; } ;
span_opt    : %empty                            { $$ = NULL; }
            | span ;
span        : AT INT                            { $$ = NODE(PLACE, @$, $2, NULL); }
            | AT INT DOTDOT INT                 { $$ = NODE(PLACE, @$, $2, $4); } ;
in_opt      : %empty                            { $$ = NULL; }
            | IN IDENT                          { $$ = $2; } ;

/* ---- what goes out ---- */
target      : TARGET IDENT '{' target_items '}' { $$ = NODE(TARGET, @$, $2, $4); }
            | TARGET IDENT IS JOURNAL '{' target_items '}' { $$ = NODE_TEXT(TARGET, @$, SHUNT_TEXT("journal"), $2, $6); } ;
target_items: %empty                            { $$ = LIST(@$); }
            | target_items target_item          { $$ = ADD($1, $2); } ;
target_item : IDENT ':' type default_opt        { $$ = NODE(FIELD_DECL, @$, $1, $3, $4); }
            | COLUMN IDENT ':' type default_opt { $$ = NODE_TEXT(FIELD_DECL, @$, SHUNT_TEXT("column"), $2, $4, $5); }
            | IDENT BY IDENT                    { $$ = NODE(BALANCE_BY, @$, $1, $3); }
            | IDENT FROM IDENT                  { $$ = NODE(ACCOUNTS_FROM, @$, $1, $3); }
            | KEY idents                        { $$ = NODE(KEY_FIELDS, @$, $2); }
            | ACCEPTS PHI idents                { $$ = NODE(ACCEPTS, @$, $3); }
            | CHECK expr ELSE exit              { $$ = NODE(CONSTRAINT, @$, $2, $4); }
            | ENCODE encode_args '{' encode_items '}' { $$ = NODE(ENCODE, @$, $2, $4); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
default_opt : %empty                            { $$ = NULL; }
            | '=' expr                          { $$ = $2; } ;
encode_args : encode_arg                        { $$ = ADD(LIST(@$), $1); }
            | encode_args encode_arg            { $$ = ADD($1, $2); } ;
encode_arg  : IDENT | INT | STRING ;
encode_items: %empty                            { $$ = LIST(@$); }
            | encode_items encode_item          { $$ = ADD($1, $2); } ;
encode_item : setting
            | TO STRING ':' expr                { $$ = NODE(ENCODE_TO, @$, $2, $4); }
            | TO STRING ':' each_opt '{' encode_items '}' { $$ = NODE(ENCODE_OBJECT, @$, $2, $4, $6); }
            | COLUMN IDENT span_opt format_opt  { $$ = NODE(COLUMN, @$, $2, $3, NULL, $4, NULL); }
            | SEGMENT IDENT each_opt '{' positions '}' { $$ = NODE(ENCODE_SEGMENT, @$, $2, $3, $5); }
            | each '{' encode_items '}'         { $$ = NODE(ENCODE_EACH, @$, $1, $3); }
            | FOR EACH RECORD '{' encode_items '}' { $$ = NODE(ENCODE_EACH, @$, NULL, $5); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
each_opt    : %empty                            { $$ = NULL; }
            | each ;
positions   : %empty                            { $$ = LIST(@$); }
            | positions position                { $$ = ADD($1, $2); } ;
position    : place ':' expr                    { $$ = NODE(ENCODE_POSITION, @$, $1, $3); }
            | place ':' each_opt '{' positions '}' { $$ = NODE(ENCODE_PARTS, @$, $1, $3, $5); }
            | error                             { $$ = LEAF(ERROR, @$); } ;

place       : INT | DECIMAL ;

/* ---- reference data ---- */
table       : TABLE IDENT '{' table_items '}'   { $$ = NODE(TABLE, @$, $2, $4); } ;
table_items : %empty                            { $$ = LIST(@$); }
            | table_items table_item            { $$ = ADD($1, $2); } ;
table_item  : FROM STRING                       { $$ = NODE(TABLE_FROM, @$, $2); }
            | KEY IDENT ':' type by_name        { $$ = NODE(TABLE_KEY, @$, $2, $4, $5); }
            | COLUMN IDENT ':' type             { $$ = NODE(COLUMN, @$, $2, NULL, $4, NULL, NULL); }
            | EFFECTIVE IDENT THROUGH IDENT     { $$ = NODE(EFFECTIVE, @$, $2, $4); }
            | setting
            | error                             { $$ = LEAF(ERROR, @$); } ;
by_name     : %empty                            { $$ = NULL; }
            | BY IDENT                          { $$ = $2; } ;
enum        : ENUM IDENT '{' idents '}'         { $$ = NODE(ENUM, @$, $2, $4); } ;
codes       : CODES '{' code_items '}'          { $$ = NODE(CODES, @$, $3); } ;
code_items  : %empty                            { $$ = LIST(@$); }
            | code_items code                   { $$ = ADD($1, $2); }
            | code_items error                  { $$ = ADD($1, LEAF(ERROR, @2)); } ;
code        : IDENT STRING                      { $$ = NODE(CODE, @$, $1, $2, NULL, NULL); }
            | code ACK STRING                   { $$ = shunt_tree_attribute(p, @$, $1, SHUNT_CODE_ack, $3); }
            | code QUEUE STRING                 { $$ = shunt_tree_attribute(p, @$, $1, SHUNT_CODE_queue, $3); } ;

/* ---- decision tables ---- */
decide      : DECIDE IDENT '(' params ')' ARROW type hit '{' rows '}'
                                                { $$ = NODE_TEXT(DECIDE, @$, text_of($8), $2, $4, $7, $10); }
            | DECIDE IDENT '(' params ')' ARROW type hit FROM STRING
                                                { $$ = NODE_TEXT(DECIDE, @$, text_of($8), $2, $4, $7, $10); } ;
hit         : %empty                            { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("unique")); }
            | UNIQUE                            { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("unique")); }
            | FIRST                             { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("first")); } ;
rows        : row                               { $$ = ADD(LIST(@$), $1); }
            | rows row                          { $$ = ADD($1, $2); } ;
row         : WHEN patterns FATARROW rhs        { $$ = NODE(ROW, @$, $2, $4); }
            | ELSE FATARROW rhs                 { $$ = NODE(ROW, @$, NULL, $3); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
patterns    : pattern                           { $$ = ADD(LIST(@$), $1); }
            | patterns ',' pattern              { $$ = ADD($1, $3); } ;
pattern     : choice                            { $$ = ADD(LEAF(PATTERN, @$), $1); }
            | pattern OR choice                 { $$ = ADD($1, $3); } ;
choice      : ANY                               { $$ = LEAF(ANY, @$); }
            | ABSENT                            { $$ = LEAF(ABSENT_PATTERN, @$); }
            | CLEARED                           { $$ = LEAF(CLEARED_PATTERN, @$); }
            | value
            | value DOTDOT value                { $$ = NODE(RANGE, @$, $1, $3); }
            | '<' value                         { $$ = NODE_TEXT(BOUND, @$, SHUNT_TEXT("<"), $2); }
            | '>' value                         { $$ = NODE_TEXT(BOUND, @$, SHUNT_TEXT(">"), $2); }
            | LE value                          { $$ = NODE_TEXT(BOUND, @$, SHUNT_TEXT("<="), $2); }
            | GE value                          { $$ = NODE_TEXT(BOUND, @$, SHUNT_TEXT(">="), $2); } ;
value       : literal
            | '-' INT                           { $$ = NODE(MINUS, @$, $2); }
            | '-' DECIMAL                       { $$ = NODE(MINUS, @$, $2); }
            | '-' MONEY                         { $$ = NODE(MINUS, @$, $2); }
            | '-' PERCENT                       { $$ = NODE(MINUS, @$, $2); }
            | qname ;
params      : %empty                            { $$ = LIST(@$); }
            | param_list ;
param_list  : param                             { $$ = ADD(LIST(@$), $1); }
            | param_list ',' param              { $$ = ADD($1, $3); } ;
param       : IDENT ':' type                    { $$ = NODE(PARAM, @$, $1, $3); } ;

/* ---- functions ---- */
function    : FUNCTION IDENT '(' params ')' ARROW type '{' lets RETURN expr '}'
                                                { $$ = NODE(FUNCTION, @$, $2, $4, $7, $9, $11); } ;
lets        : %empty                            { $$ = LIST(@$); }
            | lets let                          { $$ = ADD($1, $2); }
            | lets error                        { $$ = ADD($1, LEAF(ERROR, @2)); } ;
extern      : EXTERN FUNCTION IDENT '(' params ')' ARROW type may_fail cost_opt FROM STRING
                                                { $$ = NODE_TEXT(EXTERN, @$, fail_text(@9), $3, $5, $8, $12, $10); } ;
may_fail    : %empty                            { $$ = NULL; }
            | MAY FAIL                          { $$ = NULL; } ;
cost_opt    : %empty                            { $$ = NULL; }
            | COST INT                          { $$ = $2; } ;

/* ---- maps ---- */
map         : MAP IDENT FROM idents INTO idents '{' map_items '}' { $$ = NODE(MAP, @$, $2, $4, $6, $8); } ;
map_items   : %empty                            { $$ = LIST(@$); }
            | map_items map_item                { $$ = ADD($1, $2); } ;
map_item    : CORRELATE BY exprs                { $$ = NODE(CORRELATE, @$, $3); }
            | ON ERROR exit                     { $$ = NODE(ON_ERROR, @$, $3); }
            | tally
            | AT START block                    { $$ = NODE(AT_START, @$, $3); }
            | AT END block                      { $$ = NODE(AT_END, @$, NULL, $3); }
            | AT END OF IDENT block             { $$ = NODE(AT_END, @$, $4, $5); }
            | let
            | for_each
            | error                             { $$ = LEAF(ERROR, @$); } ;
tally       : TALLY IDENT ':' type per_opt by_opt
                                                { $$ = NODE(TALLY, @$, $2, $4, $5, part(part($6, 0), 0), part($6, 1), NULL, NULL, part(part($6, 0), 1)); }
            | TALLY IDENT ':' type per_opt by_opt OF expr each
                                                { $$ = NODE(TALLY, @$, $2, $4, $5, part(part($6, 0), 0), part($6, 1), $8, $9, part(part($6, 0), 1)); } ;
per_opt     : %empty                            { $$ = NULL; }
            | PER IDENT                         { $$ = $2; } ;
by_opt      : %empty                            { $$ = NULL; }              /* else pairs that the tally takes apart */
            | by_what                           { $$ = NODE(RANGE, @$, $1, NULL); }
            | by_what LIMIT INT                 { $$ = NODE(RANGE, @$, $1, $3); } ;
by_what     : BY expr                           { $$ = NODE(RANGE, @$, $2, NULL); }
            | BY expr EACH IDENT                { $$ = NODE(RANGE, @$, $2, $4); } ;

block       : '{' stmts '}'                     { $$ = shunt_tree_span($2, @$); } ;
stmts       : %empty                            { $$ = LEAF(BLOCK, @$); }
            | stmts stmt                        { $$ = ADD($1, $2); } ;
stmt        : let
            | for_each
            | if_stmt
            | MATCH expr '{' arms '}'           { $$ = NODE(MATCH, @$, $2, $4); }
            | CHECK expr ELSE exit              { $$ = NODE(CHECK, @$, $2, $4); }
            | ADD expr TO IDENT                 { $$ = NODE(ADD, @$, $2, $4, NULL); }
            | ADD expr TO IDENT '[' exprs ']'   { $$ = NODE(ADD, @$, $2, $4, $6); }
            | JOURNAL IDENT with jblock         { $$ = NODE(JOURNAL, @$, $2, $3, $4); }
            | EMIT IDENT '{' fields '}'         { $$ = NODE(EMIT, @$, $2, $4); }
            | STEP STRING block                 { $$ = NODE(STEP, @$, $2, $3); }
            | exit
            | exit WHEN expr                    { $$ = shunt_tree_attribute(p, @$, $1, SHUNT_EXIT_when, $3); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
each        : FOR EACH IDENT IN expr            { $$ = NODE(EACH, @$, $3, $5, NULL); }
            | FOR EACH IDENT IN expr WHERE expr { $$ = NODE(EACH, @$, $3, $5, $7); } ;
for_each    : each block                        { $$ = NODE(FOR_EACH, @$, $1, $2); } ;
if_stmt     : IF expr block                     { $$ = NODE(IF, @$, $2, $3, NULL); }
            | IF expr block ELSE block          { $$ = NODE(IF, @$, $2, $3, $5); }
            | IF expr block ELSE if_stmt        { $$ = NODE(IF, @$, $2, $3, $5); } ;
arms        : arm                               { $$ = ADD(LIST(@$), $1); }
            | arms arm                          { $$ = ADD($1, $2); } ;
arm         : WHEN patterns FATARROW block      { $$ = NODE(ARM, @$, $2, $4); }
            | ELSE FATARROW block               { $$ = NODE(ARM, @$, NULL, $3); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
exit        : severity whole_opt qname          { $$ = NODE_TEXT(EXIT, @$, text_of($1), $2, $3, NULL, NULL); }
            | severity whole_opt qname text     { $$ = NODE_TEXT(EXIT, @$, text_of($1), $2, $3, $4, NULL); }
            | SKIP                              { $$ = NODE_TEXT(EXIT, @$, SHUNT_TEXT("skip"), NULL, NULL, NULL, NULL); } ;
severity    : REJECT                            { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("reject")); }
            | QUARANTINE                        { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("quarantine")); }
            | WARN                              { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("warn")); } ;
whole_opt   : %empty                            { $$ = NULL; }
            | WHOLE IDENT                       { $$ = $2; } ;

/* ---- outputs ---- */
fields      : %empty                            { $$ = LIST(@$); }
            | fields field                      { $$ = ADD($1, $2); } ;
field       : IDENT ':' expr                    { $$ = NODE(FIELD, @$, $1, $3); }
            | IDENT ':' ABSENT                  { $$ = NODE(FIELD, @$, $1, LEAF(ABSENT_PATTERN, @3)); }
            | IDENT ':' each '{' fields '}'     { $$ = NODE(FIELD_LIST, @$, $1, $3, $5); }
            | IDENT ':' '{' fields '}'          { $$ = NODE(FIELD_LIST, @$, $1, NULL, $4); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
jblock      : '{' jitems '}'                    { $$ = shunt_tree_span($2, @$); } ;
jitems      : %empty                            { $$ = LEAF(BLOCK, @$); }
            | jitems jitem                      { $$ = ADD($1, $2); } ;
jitem       : KEY exprs                         { $$ = NODE(KEY, @$, $2); }
            | let
            | NOTHING                           { $$ = LEAF(NOTHING, @$); }
            | MATCH expr '{' jarms '}'          { $$ = NODE(MATCH, @$, $2, $4); }
            | setting
            | line
            | line WHEN expr                    { $$ = shunt_tree_attribute(p, @$, $1, SHUNT_LINE_when, $3); }
            | each jblock                       { $$ = NODE(FOR_EACH, @$, $1, $2); }
            | jif
            | SKIP                              { $$ = NODE_TEXT(EXIT, @$, SHUNT_TEXT("skip"), NULL, NULL, NULL, NULL); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
line        : side account expr with            { $$ = NODE_TEXT(LINE, @$, text_of($1), $2, $3, $4, NULL); }
            | side account REMAINDER with       { $$ = NODE_TEXT(LINE, @$, text_of($1), $2, NULL, $4, NULL); } ;
side        : DEBIT                             { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("debit")); }
            | CREDIT                            { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("credit")); } ;
account     : qname
            | STRING
            | '(' expr ')'                      { $$ = $2; } ;
jif         : IF expr jblock                    { $$ = NODE(IF, @$, $2, $3, NULL); }
            | IF expr jblock ELSE jblock        { $$ = NODE(IF, @$, $2, $3, $5); }
            | IF expr jblock ELSE jif           { $$ = NODE(IF, @$, $2, $3, $5); } ;
jarms       : jarm                              { $$ = ADD(LIST(@$), $1); }
            | jarms jarm                        { $$ = ADD($1, $2); } ;
jarm        : WHEN patterns FATARROW jblock     { $$ = NODE(ARM, @$, $2, $4); }
            | ELSE FATARROW jblock              { $$ = NODE(ARM, @$, NULL, $3); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
with        : %empty                            { $$ = LIST(@$); }
            | WITH '(' named ')'                { $$ = $3; } ;
named       : named_value                       { $$ = ADD(LIST(@$), $1); }
            | named ',' named_value             { $$ = ADD($1, $3); } ;
named_value : IDENT ':' expr                    { $$ = NODE(FIELD, @$, $1, $3); }
            | IDENT ':' ABSENT                  { $$ = NODE(FIELD, @$, $1, LEAF(ABSENT_PATTERN, @3)); } ;

/* ---- overlays: payer and site companion guides ---- */
overlay     : OVERLAY IDENT OF qname WHEN expr '{' overlay_items '}' { $$ = NODE(OVERLAY, @$, $2, $8, $4, $6); } ;
overlay_items : %empty                          { $$ = LIST(@$); }
            | overlay_items overlay_item        { $$ = ADD($1, $2); } ;
overlay_item: REPLACE LET IDENT '=' expr        { $$ = NODE_TEXT(REPLACE, @$, SHUNT_TEXT("let"), $3, $5); }
            | REPLACE TABLE IDENT WITH IDENT    { $$ = NODE_TEXT(REPLACE, @$, SHUNT_TEXT("table"), $3, $5); }
            | REPLACE DECIDE IDENT '{' rows '}' { $$ = NODE_TEXT(REPLACE, @$, SHUNT_TEXT("decide"), $3, $5); }
            | EXCEPTIONS TO IDENT '{' rows '}'  { $$ = NODE(EXCEPTIONS, @$, $3, $5); }
            | BEFORE STRING block               { $$ = NODE_TEXT(AROUND, @$, SHUNT_TEXT("before"), $2, $3); }
            | AFTER STRING block                { $$ = NODE_TEXT(AROUND, @$, SHUNT_TEXT("after"), $2, $3); }
            | error                             { $$ = LEAF(ERROR, @$); } ;

/* ---- tests ---- */
test        : TEST STRING '{' test_items '}'    { $$ = NODE(TEST, @$, $2, $4); } ;
test_items  : %empty                            { $$ = LIST(@$); }
            | test_items test_item              { $$ = ADD($1, $2); } ;
test_item   : GIVEN IDENT piece_opt made_opt TEXTBLOCK { $$ = NODE(GIVEN, @$, $2, $3, $4, $5); }
            | test_table
            | EXPECT expected                   { $$ = NODE(EXPECT, @$, $2); }
            | error                             { $$ = LEAF(ERROR, @$); } ;
expected    : JOURNAL IDENT jblock              { $$ = NODE(JOURNAL, @$, $2, LIST(@2), $3); }
            | EMIT IDENT '{' fields '}'         { $$ = NODE(EMIT, @$, $2, $4); }
            | exit
            | ACK STRING                        { $$ = $2; }
            | NOTHING                           { $$ = LEAF(NOTHING, @$); } ;
piece_opt   : %empty                            { $$ = NULL; }
            | IDENT | LOOPID | INT ;
made_opt    : %empty                            { $$ = NULL; }
            | WITH '(' made ')'                 { $$ = $3; } ;
made        : made_value                        { $$ = ADD(LIST(@$), $1); }
            | made ',' made_value               { $$ = ADD($1, $3); } ;
made_value  : IDENT ':' STRING                  { $$ = NODE(MADE, @$, NULL, $1, $3); }
            | made_loop '.' IDENT ':' STRING    { $$ = NODE(MADE, @$, $1, $3, $5); } ;
made_loop   : LOOPID | INT ;
test_table  : WITH TABLE IDENT '{' test_rows '}' { $$ = NODE(WITH_TABLE, @$, $3, $5); } ;
test_rows   : %empty                            { $$ = LIST(@$); }
            | test_rows '(' named ')'           { $$ = ADD($1, $3); }
            | test_rows error                   { $$ = ADD($1, LEAF(ERROR, @2)); } ;
golden      : GOLDEN STRING INTO STRING         { $$ = NODE(GOLDEN, @$, $2, $4); } ;

/* ---- expressions ---- */
exprs       : expr                              { $$ = ADD(LIST(@$), $1); }
            | exprs ',' expr                    { $$ = ADD($1, $3); } ;
expr        : expr OTHERWISE rhs                { $$ = NODE(OTHERWISE, @$, $1, $3); }
            | expr CLEARED rhs                  { $$ = NODE(CLEARED, @$, $1, $3); }
            | expr NOTING qname                 { $$ = NODE(NOTING, @$, $1, $3); }
            | IF expr THEN expr ELSE expr       { $$ = NODE(IF_EXPR, @$, $2, $4, $6); }                 %prec IFELSE
            | expr OR expr                      { $$ = NODE_TEXT(BINARY, @$, SHUNT_TEXT("or"), $1, $3); }
            | expr AND expr                     { $$ = NODE_TEXT(BINARY, @$, SHUNT_TEXT("and"), $1, $3); }
            | NOT expr                          { $$ = NODE(NOT, @$, $2); }
            | expr '=' expr                     { $$ = shunt_tree_compare(p, @$, SHUNT_TEXT("="), @2, $1, @1, $3, @3); }
            | expr NE expr                      { $$ = shunt_tree_compare(p, @$, SHUNT_TEXT("!="), @2, $1, @1, $3, @3); }
            | expr '<' expr                     { $$ = shunt_tree_compare(p, @$, SHUNT_TEXT("<"), @2, $1, @1, $3, @3); }
            | expr '>' expr                     { $$ = shunt_tree_compare(p, @$, SHUNT_TEXT(">"), @2, $1, @1, $3, @3); }
            | expr LE expr                      { $$ = shunt_tree_compare(p, @$, SHUNT_TEXT("<="), @2, $1, @1, $3, @3); }
            | expr GE expr                      { $$ = shunt_tree_compare(p, @$, SHUNT_TEXT(">="), @2, $1, @1, $3, @3); }
            | expr IN '(' ranges ')'            { $$ = shunt_tree_among(p, @$, SHUNT_TEXT("in"), @2, $1, @1, $4); }
            | expr NOTIN '(' ranges ')'         { $$ = shunt_tree_among(p, @$, SHUNT_TEXT("not in"), @2, $1, @1, $4); }
            | expr IS state                     { $$ = shunt_tree_is(p, @$, @2, $1, @1, $3); }
            | expr '+' expr                     { $$ = shunt_tree_sum(p, @$, @2, $1, $3); }
            | expr '-' expr                     { $$ = NODE_TEXT(BINARY, @$, SHUNT_TEXT("-"), $1, $3); }
            | expr '*' expr                     { $$ = NODE_TEXT(BINARY, @$, SHUNT_TEXT("*"), $1, $3); }
            | expr '/' expr                     { $$ = NODE_TEXT(BINARY, @$, SHUNT_TEXT("/"), $1, $3); }
            | '-' expr                          { $$ = NODE(MINUS, @$, $2); }                           %prec UMINUS
            | postfix ;
rhs         : expr                                                                                      %prec OTHERWISE
            | exit ;
state       : ABSENT                            { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("absent")); }
            | PRESENT                           { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("present")); }
            | CLEARED                           { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("cleared")); }
            | NOT ABSENT                        { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("not absent")); }
            | NOT PRESENT                       { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("not present")); }
            | NOT CLEARED                       { $$ = LEAF_TEXT(NAME, @$, SHUNT_TEXT("not cleared")); } ;
ranges      : range                             { $$ = ADD(LIST(@$), $1); }
            | ranges ',' range                  { $$ = ADD($1, $3); } ;
range       : expr
            | expr DOTDOT expr                  { $$ = NODE(RANGE, @$, $1, $3); } ;
postfix     : primary
            | postfix '.' member                { $$ = NODE(MEMBER, @$, $1, $3); }
            | postfix '.' IDENT '(' call_args ')' { $$ = NODE(METHOD, @$, $1, $3, $5); }
            | postfix '[' keys ']'              { $$ = NODE(INDEX, @$, $1, $3, NULL); }
            | postfix '[' keys AT expr ']'      { $$ = NODE(INDEX, @$, $1, $3, $5); }
            | postfix '[' WHERE expr ']'        { $$ = NODE(FILTER, @$, $1, $4); } ;
keys        : key                               { $$ = ADD(LIST(@$), $1); }
            | keys ',' key                      { $$ = ADD($1, $3); } ;
key         : expr
            | ANY                               { $$ = LEAF(ANY, @$); } ;
member      : IDENT | ELEM | INT | DECIMAL ;
primary     : literal
            | template
            | IDENT
            | ELEM
            | LOOPID
            | IDENT '(' call_args ')'           { $$ = NODE(CALL, @$, $1, $3); }
            | MAX '(' call_args ')'             { $$ = NODE(CALL, @$, LEAF_TEXT(NAME, @1, SHUNT_TEXT("max")), $3); }
            | '(' expr ')'                      { $$ = $2; }
            | '[' exprs ']'                     { $$ = shunt_tree_join(p, LEAF(ARRAY, @$), $2); }
            | MATCH expr '{' rows '}'           { $$ = NODE(CHOOSE, @$, $2, $4); } ;
call_args   : %empty                            { $$ = LIST(@$); }
            | exprs
            | named
            | exprs ',' named                   { $$ = shunt_tree_join(p, $1, $3); }
            | expr each                         { $$ = ADD(LIST(@$), NODE(EACH_EXPR, @$, $1, $2)); }
            | exprs ',' expr each               { $$ = ADD($1, NODE(EACH_EXPR, shunt_tree_between(@3, @4), $3, $4)); } ;
literal     : INT | DECIMAL | MONEY | PERCENT | DATE | DURATION | STRING
            | TRUE                              { $$ = LEAF_TEXT(TRUE, @$, SHUNT_TEXT("true")); }
            | FALSE                             { $$ = LEAF_TEXT(FALSE, @$, SHUNT_TEXT("false")); } ;
text        : STRING
            | template ;
template    : template_parts TEND               { $$ = shunt_tree_span(ADD($1, $2), @$); } ;
template_parts : TSTART expr                    { $$ = ADD(ADD(LEAF(TEMPLATE, @$), $1), $2); }
            | template_parts TMID expr          { $$ = ADD(ADD($1, $2), $3); } ;
%%

/* ---- what recover.c may ask. The skeleton of Bison 3.8 names the parts of its state by macros. ---- */
#undef yystate
#undef yyss
#undef yyssp
#undef yyssa
#undef yyvs
#undef yyvsp
#undef yyvsa
#undef yyls
#undef yylsp
#undef yylsa
#undef yystacksize

struct shunt_map_pstate *
shunt_map_begin(shunt_arena *scratch)
{
    yypstate *ps = SHUNT_NEW(scratch, yypstate);
    if (!ps) return NULL;
    ps->yystacksize = YYINITDEPTH;
    ps->yyss        = ps->yyssa;
    ps->yyvs        = ps->yyvsa;
    ps->yyls        = ps->yylsa;
    ps->yyssp = ps->yyss;
    ps->yyvsp = ps->yyvs;
    ps->yylsp = ps->yyls;
    ps->yynew = 1;
    return ps;
}

/* A copy of the stack that is only made where it differs: `kept` states of the parser's own, then `pushed`. */
struct trial {
    const yy_state_t *bottom;
    ptrdiff_t         kept;
    yy_state_t        pushed[64];
    int               count;
};

static int
top(const struct trial *t)
{
    return t->count ? t->pushed[t->count - 1] : t->bottom[t->kept - 1];
}

static void
pop(struct trial *t, int states)
{
    int own = states < t->count ? states : t->count;
    t->count -= own;
    t->kept  -= states - own;
}

static bool
push(struct trial *t, int state)
{
    if (t->count == (int)SHUNT_COUNT(t->pushed)) return false;
    t->pushed[t->count++] = (yy_state_t)state;
    return true;
}

/* What yyparse would do with this symbol, without the actions. */
static bool
step(struct trial *t, int symbol)
{
    for (;;) {
        int rule = 0, at = yypact[top(t)];
        if (!yypact_value_is_default(at) && at + symbol >= 0 && at + symbol <= YYLAST && yycheck[at + symbol] == symbol) {
            int action = yytable[at + symbol];
            if (yytable_value_is_error(action)) return false;
            if (action > 0) return push(t, action);
            rule = -action;
        } else {
            rule = yydefact[top(t)];
        }
        if (rule == 0) return false;
        pop(t, yyr2[rule]);
        int to = yyr1[rule] - YYNTOKENS, entry = yypgoto[to] + top(t);
        bool listed = entry >= 0 && entry <= YYLAST && yycheck[entry] == top(t);
        if (!push(t, listed ? yytable[entry] : yydefgoto[to])) return false;
    }
}

static bool
run(struct trial *t, const uint16_t *kinds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!step(t, YYTRANSLATE(kinds[i]))) return false;
    return true;
}

bool
shunt_map_accepts(const yypstate *ps, uint32_t level, const uint16_t *kinds, uint32_t count)
{
    struct trial t = { .bottom = ps->yyss, .kept = level };
    return level > 0 && run(&t, kinds, count);
}

/* States from which `error` can be shifted, as yyerrlab1 looks for them. */
static bool
takes_error(int state)
{
    int at = yypact[state];
    return !yypact_value_is_default(at) && at + YYSYMBOL_YYerror >= 0 && at + YYSYMBOL_YYerror <= YYLAST
        && yycheck[at + YYSYMBOL_YYerror] == YYSYMBOL_YYerror && yytable[at + YYSYMBOL_YYerror] > 0;
}

bool
shunt_map_accepts_after_error(const yypstate *ps, uint32_t level, const uint16_t *kinds, uint32_t count)
{
    struct trial t = { .bottom = ps->yyss, .kept = level };
    push(&t, yytable[yypact[top(&t)] + YYSYMBOL_YYerror]);
    return run(&t, kinds, count);
}

uint32_t
shunt_map_error_level(const yypstate *ps, uint32_t below)
{
    for (uint32_t i = below; i-- > 0;)
        if (takes_error(ps->yyss[i])) return i + 1;
    return 0;
}

uint32_t
shunt_map_level(const yypstate *ps)
{
    return (uint32_t)(ps->yyssp - ps->yyss) + 1;
}

int
shunt_map_symbol(const yypstate *ps, uint32_t index, shunt_span *at)
{
    int symbol = yystos[ps->yyss[index]];
    *at        = ps->yyls[index];
    if (symbol >= YYNTOKENS) return -1;
    for (int kind = 1; kind < YYMAXUTOK + 1; kind++)
        if ((int)YYTRANSLATE(kind) == symbol) return kind;
    return -1;
}

void
shunt_map_unshift(yypstate *ps)
{
    ps->yyssp--, ps->yyvsp--, ps->yylsp--;
    ps->yystate = *ps->yyssp;
}

uint32_t
shunt_map_kinds(void)
{
    return YYMAXUTOK + 1;
}

void
shunt_map_skip(yypstate *ps, uint32_t level, shunt_span at)
{
    ps->yyssp = ps->yyss + level - 1;
    int state = yytable[yypact[*ps->yyssp] + YYSYMBOL_YYerror];
    ps->yyssp++;
    ps->yyvsp  = ps->yyvs + level;
    ps->yylsp  = ps->yyls + level;
    *ps->yyssp = (yy_state_t)state;
    *ps->yyvsp = NULL;
    *ps->yylsp = at;
    ps->yystate = state;
}
