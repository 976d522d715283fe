#include "grammar/parse.h"

#include "grammar/recover.h"

#include "map.tab.h"

bool shunt_is_keyword(shunt_text word) { return shunt_word_token(word) != T_IDENT; }

/* ---- the bytes themselves ---- */

/* Characters that a reader does not see or that turn what he sees around: controls, and the marks that change direction. */
static bool is_hidden(const unsigned char *at, size_t room, unsigned *character, uint32_t *size)
{
    *size = 1;
    *character = at[0];
    if (at[0] < 0x20) return at[0] != '\t' && at[0] != '\n' && at[0] != '\r';
    if (at[0] == 0x7F) return true;
    if (at[0] == 0xC2 && room > 1 && at[1] < 0xA0) {
        *size = 2;
        *character = at[1];
        return true;
    }
    if (at[0] == 0xE2 && room > 2) {
        *size = 3;
        *character = 0x2000u | (unsigned)(at[1] & 0x3F) << 6 | (at[2] & 0x3F);
        return (*character >= 0x200B && *character <= 0x200F) || (*character >= 0x2028 && *character <= 0x202E) ||
               (*character >= 0x2066 && *character <= 0x2069);
    }
    if (at[0] == 0xEF && room > 2 && at[1] == 0xBB && at[2] == 0xBF) {
        *size = 3;
        *character = 0xFEFF;
        return true;
    }
    return false;
}

/* The scanner's copy: bytes that are no UTF-8 and hidden characters are blanks there, after one E0108 of each sort, so that
 * everything else is still read. */
static char *readable_copy(shunt_parse *p, shunt_text source)
{
    char    *copy = shunt_arena_bytes(p->scratch, (size_t)source.length + 3);
    uint32_t wrong = 0, hidden = 0, size;
    unsigned character;
    if (!copy) return NULL;
    if (source.length) memcpy(copy, source.bytes, source.length);
    memcpy(copy + source.length, "\n\0", 3);
    /* the mark some editors begin files with */
    if (source.length >= 3 && memcmp(copy, "\xEF\xBB\xBF", 3) == 0) memset(copy, ' ', 3);
    for (uint32_t at = 0; at < source.length;) {
        size_t good = shunt_utf8_bad(copy + at, source.length - at);
        if (at + good == source.length) break;
        at += (uint32_t)good;
        if (wrong++ == 0) {
            shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0108, (shunt_span){ at, at + 1, p->file }, "the file is not UTF-8");
            shunt_diag_here(p->diags, d, "byte %02X", (unsigned char)copy[at]);
            shunt_diag_help(p->diags, d, "save it as UTF-8; editors offer that as an encoding");
        }
        copy[at++] = ' ';
    }
    for (uint32_t at = 0; at < source.length; at += size) {
        if (!is_hidden((const unsigned char *)copy + at, source.length - at, &character, &size)) continue;
        if (hidden++ == 0) {
            shunt_diag *d = shunt_diag_add(p->diags, SHUNT_E0108, (shunt_span){ at, at + size, p->file },
                                           "a character that cannot be seen stands here (U+%04X)", character);
            shunt_diag_help(p->diags, d, "delete it; in a string, `\\n`, `\\r` and `\\t` are written out");
        }
        memset(copy + at, ' ', size);
    }
    return copy;
}

/* ---- a module ---- */

static shunt_ast *empty_module(shunt_parse *p)
{
    shunt_span at = { 0, 0, p->file };
    shunt_ast *name = LEAF(ERROR, at), *version = LEAF(ERROR, at), *decls = LIST(at);
    return NODE(MODULE, at, name, version, NULL, decls);
}

static shunt_status parse_module(shunt_parse *p)
{
    shunt_scan *scan = SHUNT_NEW(p->scratch, shunt_scan);
    if (!scan) return SHUNT_NO_MEMORY;
    *scan = (shunt_scan){ .scratch = p->scratch, .arena = p->arena, .diags = p->diags, .source = p->source, .file = p->file };
    p->scan = scan;
    scan->copy = readable_copy(p, p->source);
    if (!scan->copy || !shunt_scan_run(scan)) return SHUNT_NO_MEMORY;
    shunt_recover_run(p);
    if (!p->failed && !p->module) p->module = empty_module(p);
    return p->failed || p->diags->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
}

shunt_status shunt_parse_words(shunt_arena *scratch, shunt_arena *arena, shunt_diags *diags, uint32_t file, shunt_text source,
                               shunt_ast **module, const shunt_scan **scan)
{
    shunt_parse  p = { .scratch = scratch, .arena = arena, .diags = diags, .source = source, .file = file };
    shunt_status status = SHUNT_OK;
    if (source.length > SHUNT_SCAN_FILE_BYTES) {
        shunt_diag *d = shunt_diag_add(diags, SHUNT_E0912, (shunt_span){ 0, 0, file }, "a map file has at most %d MiB",
                                       SHUNT_SCAN_FILE_BYTES >> 20);
        shunt_diag_help(diags, d, "move tables to CSV files, and parts that stand alone to modules of their own");
        p.module = empty_module(&p);
        status = p.failed || diags->failed ? SHUNT_NO_MEMORY : SHUNT_OK;
    } else {
        status = parse_module(&p);
    }
    if (status != SHUNT_OK) return status;
    *module = p.module;
    *scan = p.scan;
    return SHUNT_OK;
}

shunt_status shunt_parse_module(const shunt_memory *memory, shunt_arena *arena, shunt_diags *diags, uint32_t file,
                                shunt_text source, shunt_ast **module)
{
    const shunt_scan *scan;
    shunt_arena      *scratch = shunt_arena_new(memory, 0);
    shunt_status      status = scratch ? shunt_parse_words(scratch, arena, diags, file, source, module, &scan) : SHUNT_NO_MEMORY;
    shunt_arena_free(scratch);
    return status;
}
