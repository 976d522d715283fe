/* cmd_new.c - `shunt new`: a project to begin with, whose test passes at once. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

/* `@` stands for the name of the project. */
static const char rules[] =
    "module @ version \"0.1.0\" edition 1\n"
    "\n"
    "## Deposits of a bank as journals. Change what comes in, what goes out and how, and run `shunt test @.map`.\n"
    "source bank is CSV {\n"
    "  currency: USD\n"
    "  column id: text(10)\n"
    "  column kind: text(3)\n"
    "  column amount: money\n"
    "  column paid_on: date as \"YYYY-MM-DD\"\n"
    "}\n"
    "\n"
    "codes {\n"
    "  ROW_READ \"a value of this row could not be read\" queue \"deposits\"\n"
    "  ROW_KIND \"kind of deposit has no account\"        queue \"deposits\"\n"
    "}\n"
    "\n"
    "## One journal for each deposit.\n"
    "target gl is journal {\n"
    "  date: date\n"
    "  column deposit: text(10)\n"
    "}\n"
    "\n"
    "## What each kind of deposit is booked against.\n"
    "table kinds {\n"
    "  from \"tables/kinds.csv\"\n"
    "  key kind: text(3)\n"
    "  column account: account\n"
    "}\n"
    "\n"
    "map post_deposits from bank into gl {\n"
    "  on error quarantine ROW_READ\n"
    "\n"
    "  tally received: money(USD) per transaction of r.amount for each r in rows\n"
    "\n"
    "  for each r in rows {\n"
    "    let account = kinds[r.kind].account otherwise quarantine ROW_KIND \"kind {r.kind}\"\n"
    "    journal gl with (deposit: r.id) {\n"
    "      key r.id\n"
    "      date: r.paid_on\n"
    "      debit  \"1010\"  r.amount\n"
    "      credit account r.amount\n"
    "    }\n"
    "  }\n"
    "}\n"
    "\n"
    "test \"a deposit is posted, one of an unknown kind waits for somebody\" {\n"
    "  with table kinds {\n"
    "    (kind: \"CHK\", account: \"1200\")\n"
    "  }\n"
    "  given bank \"\"\"\n"
    "    id,kind,amount,paid_on\n"
    "    D1,CHK,125.50,2025-03-01\n"
    "    D2,ODD,1.00,2025-03-01\n"
    "  \"\"\"\n"
    "  expect journal gl {\n"
    "    date: 2025-03-01\n"
    "    debit  \"1010\" 125.50 USD with (deposit: \"D1\")\n"
    "    credit \"1200\" 125.50 USD\n"
    "  }\n"
    "  expect quarantine ROW_KIND\n"
    "}\n";
static const char project[] =
    "# The project of @: what its rules are made of beside themselves. docs/projects.md says more; `shunt lock` pins it.\n"
    "#   modules \"modules\"        folders with modules that are imported by name: import std.gl version \"^2.0\"\n"
    "#   dictionary \"guide.tsv\"   a guide of your own, or one that narrows a known guide\n"
    "#   externs \"lib\"            libraries of extern functions\n";
static const char table[] = "kind,account\nCHK,1200\nACH,1210\n";
static const char sample[] = "id,kind,amount,paid_on\nD100,CHK,125.50,2025-03-01\nD101,ACH,80.00,2025-03-02\n";

/* "FOLDER/NAME", allocated. */
static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char  *path = malloc(size);
    if (path) snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static int put(const char *folder, const char *file, const char *text, const char *name)
{
    char *path = join(folder, file);
    FILE *out = path ? fopen(path, "wbx") : NULL;
    int   status = out ? 0 : fail(SHUNT_SYSTEM_FAULT, "%s/%s: %s", folder, file, path ? strerror(errno) : "no memory");
    for (const char *at = text; out && *at; at++) {
        if (*at == '@')
            fputs(name, out);
        else
            putc(*at, out);
    }
    if (out && (ferror(out) | fclose(out)) && status == 0) status = fail(SHUNT_SYSTEM_FAULT, "%s: %s", path, strerror(errno));
    if (status == 0) printf("%s\n", path);
    free(path);
    return status;
}

/* The last name of the path, as a module is called. */
static char *name_of(const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/') begin--;
    char *name = end > begin ? strndup(path + begin, end - begin) : NULL;
    for (char *at = name; at && *at; at++) {
        if (*at == '-' || *at == ' ')
            *at = '_';
        else
            *at = (char)tolower((unsigned char)*at);
    }
    return name;
}

static bool is_name(const char *name)
{
    if (!name || !(isalpha((unsigned char)*name) || *name == '_')) return false;
    for (const char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '_') return false;
    return strlen(name) < 100;
}

int cmd_new(const arguments *a)
{
    const char *folder = a->operands[0];
    char       *name = name_of(folder), *tables = join(folder, "tables"), file[120];
    int         status = 0;
    if (!is_name(name) || !tables)
        status = fail(SHUNT_RULES_FAULT, "%s: a project is called by letters, digits and `_`, as its module is", folder);
    else if (mkdir(folder, 0777) != 0 || mkdir(tables, 0777) != 0)
        status = fail(errno == EEXIST ? SHUNT_RULES_FAULT : SHUNT_SYSTEM_FAULT, "%s: %s", folder, strerror(errno));
    if (status == 0) {
        snprintf(file, sizeof file, "%s.map", name);
        status = put(folder, file, rules, name);
    }
    if (status == 0) status = put(folder, "shunt.project", project, name);
    if (status == 0) status = put(folder, "tables/kinds.csv", table, name);
    if (status == 0) status = put(folder, "deposits.csv", sample, name);
    if (status == 0) printf("try: cd %s && shunt test %s.map && shunt run %s.map deposits.csv\n", folder, name, name);
    free(tables);
    free(name);
    return status;
}
