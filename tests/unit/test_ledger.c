#include <check.h>
#include <stdio.h>
#include <string.h>

#include "engine/vm/ledger.h"
#include "engine/vm/parcel.h"
#include "tests/support/asm.h"
#include "tests/support/test_memory.h"

enum { DECLARED, PLAIN, GROUPED, BATCH, FILE_WIDE };

/* The assembler makes totals of the transaction that rules add to; here one is declared, and two are wider. */
struct world {
    shunt_program *loaded, program;
    shunt_tally    tallies[5];
    shunt_ledger  *ledger;
    shunt_arena   *arena;
};

static void world_init(struct world *w, const shunt_memory *memory)
{
    w->loaded = asm_load("record row key:text total:usd2\ntally declared usd2\ntally plain usd2\ntally grouped usd2 "
                         "by=row\ntally batch usd2 by=row\ntally wide usd2 by=row\n");
    w->program = *w->loaded;
    memcpy(w->tallies, w->loaded->tallies, sizeof w->tallies);
    w->tallies[DECLARED].declared = 1;
    w->tallies[GROUPED].limit = 3;
    w->tallies[BATCH].scope = SHUNT_SCOPE_BATCH;
    w->tallies[FILE_WIDE].scope = SHUNT_SCOPE_FILE;
    w->program.tallies = w->tallies;
    w->ledger = shunt_ledger_new(memory, &w->program);
    w->arena = shunt_arena_new(&shunt_memory_libc, 0);
    ck_assert(w->arena);
}

static void world_done(struct world *w)
{
    shunt_ledger_free(w->ledger);
    shunt_arena_free(w->arena);
    shunt_program_free(w->loaded);
}

static shunt_status add(struct world *w, uint16_t tally, long amount, const char *key)
{
    return shunt_ledger_add(w->ledger, tally, (shunt_value){ .coefficient = amount }, shunt_text_of(key));
}

/* "key=total key=total" */
static const char *shown(struct world *w, uint16_t tally)
{
    static char text[200];
    shunt_value value;
    size_t      length = 0;
    text[0] = 0;
    ck_assert_int_eq(shunt_ledger_read(w->ledger, tally, w->arena, &value), SHUNT_OK);
    if (w->tallies[tally].record == SHUNT_NONE) snprintf(text, sizeof text, "%ld", (long)value.coefficient);
    for (uint32_t i = 0; w->tallies[tally].record != SHUNT_NONE && i < value.list.count; i++) {
        const shunt_row *row = value.list.items[i].row;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%.*s=%ld", i ? " " : "",
                                   SHUNT_TEXT_ARGS(row->fields[0].text), (long)row->fields[1].coefficient);
    }
    return text;
}

START_TEST(adds_are_undone_with_their_unit)
{
    struct world w;
    world_init(&w, &shunt_memory_libc);
    ck_assert_int_eq(add(&w, GROUPED, 5, "b"), SHUNT_OK);
    ck_assert_int_eq(add(&w, PLAIN, 1, ""), SHUNT_OK);
    shunt_ledger_keep(w.ledger);
    ck_assert_int_eq(add(&w, GROUPED, 7, "b"), SHUNT_OK);
    ck_assert_int_eq(add(&w, GROUPED, 1, "a"), SHUNT_OK);
    ck_assert_int_eq(add(&w, GROUPED, 1, "a"), SHUNT_OK);
    ck_assert_int_eq(add(&w, PLAIN, 4, ""), SHUNT_OK);
    ck_assert_str_eq(shown(&w, GROUPED), "a=2 b=12");
    shunt_ledger_undo(w.ledger);
    ck_assert_str_eq(shown(&w, GROUPED), "b=5");
    ck_assert_str_eq(shown(&w, PLAIN), "1");
    ck_assert_int_eq(add(&w, GROUPED, 1, "c"), SHUNT_OK);
    ck_assert_int_eq(add(&w, GROUPED, 1, ""), SHUNT_OK);
    ck_assert_int_eq(add(&w, GROUPED, 1, "d"), SHUNT_LIMIT_GROUPS);
    ck_assert_int_eq(add(&w, GROUPED, 1, "c"), SHUNT_OK);
    shunt_ledger_undo(w.ledger);
    ck_assert_int_eq(add(&w, GROUPED, 1, "d"), SHUNT_OK);
    shunt_ledger_keep(w.ledger);
    ck_assert_str_eq(shown(&w, GROUPED), "b=5 d=1");
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_str_eq(shown(&w, GROUPED), "");
    ck_assert_str_eq(shown(&w, PLAIN), "0");
    world_done(&w);
}
END_TEST

START_TEST(wider_totals_wait_for_their_transaction)
{
    struct world w;
    world_init(&w, &shunt_memory_libc);
    for (int i = 0; i < 3; i++) { /* the second one is undone */
        ck_assert_int_eq(add(&w, BATCH, 1 << i, "k"), SHUNT_OK);
        ck_assert_int_eq(add(&w, FILE_WIDE, 1 << i, i == 1 ? "gone" : "k"), SHUNT_OK);
        shunt_ledger_keep(w.ledger);
        ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, i == 1, SHUNT_QUARANTINED), SHUNT_OK);
    }
    ck_assert_str_eq(shown(&w, BATCH), "k=5");
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_BATCH, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_str_eq(shown(&w, BATCH), "");
    ck_assert_str_eq(shown(&w, FILE_WIDE), "k=5");
    ck_assert_int_eq(add(&w, FILE_WIDE, 9, "k"), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_BATCH, true, SHUNT_REJECTED), SHUNT_OK);
    ck_assert_str_eq(shown(&w, FILE_WIDE), "k=5");
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_FILE, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_str_eq(shown(&w, FILE_WIDE), "");
    world_done(&w);
}
END_TEST

START_TEST(the_limit_of_groups_counts_all_levels)
{
    struct world w;
    world_init(&w, &shunt_memory_libc);
    w.tallies[FILE_WIDE].limit = 2;
    ck_assert_int_eq(add(&w, FILE_WIDE, 1, "a"), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(add(&w, FILE_WIDE, 1, "a"), SHUNT_OK);
    ck_assert_int_eq(add(&w, FILE_WIDE, 1, "b"), SHUNT_OK);
    ck_assert_int_eq(add(&w, FILE_WIDE, 1, "c"), SHUNT_LIMIT_GROUPS);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, true, SHUNT_REJECTED), SHUNT_OK);
    ck_assert_int_eq(add(&w, FILE_WIDE, 1, "c"), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_BATCH, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(add(&w, FILE_WIDE, 1, "b"), SHUNT_LIMIT_GROUPS);
    ck_assert_str_eq(shown(&w, FILE_WIDE), "a=1 c=1");
    world_done(&w);
}
END_TEST

/* Joined keys sort by their parts, whatever bytes these hold, and come back as they were; members stand in their group. */
/* Groups of a tally that the engine adds: what undoes a transaction leaves them, as it leaves the sum; one over the limit is told to who reads them. */
START_TEST(groups_of_what_arrives)
{
    struct world w;
    shunt_value  value;
    world_init(&w, &shunt_memory_libc);
    w.tallies[PLAIN].declared = 1;
    w.tallies[GROUPED].declared = 2;
    w.tallies[PLAIN].scope = w.tallies[GROUPED].scope = SHUNT_SCOPE_FILE;
    for (int i = 0; i < 2; i++) { /* the first one is undone */
        ck_assert_int_eq(add(&w, GROUPED, 1 << i, i ? "b" : "a"), SHUNT_OK);
        shunt_ledger_keep(w.ledger);
        ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, i == 0, SHUNT_QUARANTINED), SHUNT_OK);
    }
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_BATCH, true, SHUNT_QUARANTINED), SHUNT_OK);
    ck_assert_str_eq(shown(&w, GROUPED), "a=1 b=2");
    ck_assert_int_eq(add(&w, GROUPED, 1, "c"), SHUNT_OK);
    ck_assert_int_eq(add(&w, GROUPED, 1, "d"), SHUNT_OK); /* over the limit of three */
    ck_assert_int_eq(add(&w, GROUPED, 1, "a"), SHUNT_OK);
    shunt_ledger_keep(w.ledger);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_BATCH, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_read(w.ledger, GROUPED, w.arena, &value), SHUNT_LIMIT_GROUPS);
    shunt_ledger_arrive(w.ledger, PLAIN, false, (shunt_value){ 0 }, SHUNT_POSTED);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_BATCH, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_read(w.ledger, GROUPED, w.arena, &value), SHUNT_TALLY_UNKNOWN);
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_FILE, false, SHUNT_POSTED), SHUNT_OK);
    ck_assert_str_eq(shown(&w, GROUPED), "");
    world_done(&w);
}
END_TEST

START_TEST(several_keys_and_members)
{
    static const char *const parts[][2] = { { "b", "1" }, { "a", "" },   { "a", "x" }, { "a\0b", "y" },
                                            { "", "z" },  { "ab", "0" }, { "a", "b" } };
    static const char *const wanted[] = { "", "a", "a\0b", "ab", "b" };
    struct world             w;
    char                     room[40];
    shunt_value              list;
    world_init(&w, &shunt_memory_libc);
    shunt_record_type records[2] = { { .field_count = 3 }, { .field_first = 3, .field_count = 2 } };
    w.program.records = records;
    w.tallies[FILE_WIDE].record = 0;
    w.tallies[FILE_WIDE].members = 1;
    w.tallies[FILE_WIDE].scope = SHUNT_SCOPE_TRANSACTION;
    for (size_t i = 0; i < SHUNT_COUNT(parts); i++) {
        shunt_text first = i == 3 ? (shunt_text){ "a\0b", 3 } : shunt_text_of(parts[i][0]);
        uint32_t   length = shunt_ledger_put_key(room, first);
        length += shunt_ledger_put_key(room + length, shunt_text_of(parts[i][1]));
        for (int twice = 0; twice < 2; twice++)
            ck_assert_int_eq(
                shunt_ledger_add(w.ledger, FILE_WIDE, (shunt_value){ .coefficient = (int)i + 1 }, (shunt_text){ room, length }),
                SHUNT_OK);
    }
    ck_assert_int_eq(shunt_ledger_read(w.ledger, FILE_WIDE, w.arena, &list), SHUNT_OK);
    ck_assert_uint_eq(list.list.count, SHUNT_COUNT(wanted));
    for (uint32_t i = 0; i < list.list.count; i++) {
        const shunt_row *row = list.list.items[i].row;
        shunt_text       key = i == 2 ? (shunt_text){ "a\0b", 3 } : shunt_text_of(wanted[i]);
        ck_assert(shunt_text_equal(row->fields[0].text, key));
        __int128 sum = 0;
        for (uint32_t m = 0; m < row->fields[2].list.count; m++) sum += row->fields[2].list.items[m].row->fields[1].coefficient;
        ck_assert(sum == row->fields[1].coefficient);
        ck_assert_uint_eq(row->fields[2].list.count, i == 1 ? 3 : 1);
    }
    const shunt_row *a = list.list.items[1].row;
    ck_assert(shunt_text_is(a->fields[2].list.items[0].row->fields[0].text, ""));
    ck_assert(shunt_text_is(a->fields[2].list.items[1].row->fields[0].text, "b"));
    ck_assert(shunt_text_is(a->fields[2].list.items[2].row->fields[0].text, "x"));
    ck_assert(a->fields[1].coefficient == 2 * (2 + 3 + 7));
    world_done(&w);
}
END_TEST

START_TEST(control_totals)
{
    struct world w;
    shunt_value  value;
    world_init(&w, &shunt_memory_libc);
    for (int i = 0; i < SHUNT_FATE_COUNT; i++) {
        shunt_ledger_enter(w.ledger);
        shunt_ledger_arrive(w.ledger, DECLARED, true, (shunt_value){ .coefficient = 1 << i }, SHUNT_POSTED);
        ck_assert(!shunt_ledger_balanced(w.ledger)); /* it has arrived, and nobody knows what becomes of it */
        shunt_ledger_unit(w.ledger, (shunt_fate)i);
    }
    shunt_ledger_arrive(w.ledger, DECLARED, true, (shunt_value){ .coefficient = 100 }, SHUNT_SKIPPED);
    ck_assert_int_eq(shunt_ledger_read(w.ledger, DECLARED, w.arena, &value), SHUNT_OK);
    ck_assert(value.coefficient == 131);
    ck_assert(shunt_ledger_sum(w.ledger, SHUNT_LEVEL_TRANSACTION, DECLARED, SHUNT_SKIPPED).amount == 104);
    ck_assert(shunt_ledger_balanced(w.ledger));
    ck_assert_int_eq(shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, true, SHUNT_REJECTED), SHUNT_OK);
    ck_assert_uint_eq(shunt_ledger_units(w.ledger, SHUNT_LEVEL_RUN, SHUNT_REJECTED), SHUNT_FATE_COUNT);
    ck_assert(shunt_ledger_sum(w.ledger, SHUNT_LEVEL_RUN, DECLARED, SHUNT_REJECTED).amount == 131);
    ck_assert(shunt_ledger_balanced(w.ledger));
    /* Units in units have totals of their own. */
    shunt_ledger_enter(w.ledger);
    shunt_ledger_arrive(w.ledger, DECLARED, true, (shunt_value){ .coefficient = 1000 }, SHUNT_POSTED);
    shunt_ledger_enter(w.ledger);
    shunt_ledger_arrive(w.ledger, DECLARED, true, (shunt_value){ .coefficient = 2000 }, SHUNT_POSTED);
    shunt_ledger_unit(w.ledger, SHUNT_POSTED);
    shunt_ledger_unit(w.ledger, SHUNT_QUARANTINED);
    ck_assert(shunt_ledger_sum(w.ledger, SHUNT_LEVEL_RUN, DECLARED, SHUNT_POSTED).amount == 2000);
    ck_assert(shunt_ledger_sum(w.ledger, SHUNT_LEVEL_RUN, DECLARED, SHUNT_QUARANTINED).amount == 1000);
    ck_assert(shunt_ledger_balanced(w.ledger));
    shunt_ledger_arrive(w.ledger, DECLARED, false, value, SHUNT_POSTED);
    ck_assert_int_eq(shunt_ledger_read(w.ledger, DECLARED, w.arena, &value), SHUNT_TALLY_UNKNOWN);
    ck_assert(shunt_ledger_balanced(w.ledger));
    world_done(&w);
}
END_TEST

START_TEST(more_than_38_digits)
{
    struct world w;
    shunt_value  value, most = { .coefficient = 1 };
    world_init(&w, &shunt_memory_libc);
    for (int i = 0; i < 37; i++) most.coefficient *= 10;
    most.coefficient = most.coefficient * 9;
    ck_assert_int_eq(shunt_ledger_add(w.ledger, PLAIN, most, (shunt_text){ 0 }), SHUNT_OK);
    ck_assert_int_eq(shunt_ledger_add(w.ledger, PLAIN, most, (shunt_text){ 0 }), SHUNT_OVERFLOW);
    shunt_ledger_undo(w.ledger);
    ck_assert_str_eq(shown(&w, PLAIN), "0");
    for (int i = 0; i < 2; i++) shunt_ledger_arrive(w.ledger, DECLARED, true, most, SHUNT_POSTED);
    ck_assert_int_eq(shunt_ledger_read(w.ledger, DECLARED, w.arena, &value), SHUNT_TALLY_UNKNOWN);
    ck_assert(shunt_ledger_balanced(w.ledger));
    world_done(&w);
}
END_TEST

START_TEST(memory_that_fails)
{
    for (size_t n = 1;; n++) {
        struct test_memory memory;
        struct world       w;
        test_memory_init(&memory, n);
        world_init(&w, &memory.memory);
        w.tallies[FILE_WIDE].limit = 1000;
        shunt_status status = w.ledger ? SHUNT_OK : SHUNT_NO_MEMORY;
        for (int i = 0; i < 40 && status == SHUNT_OK; i++) {
            char key[20];
            snprintf(key, sizeof key, "key %d", i);
            status = add(&w, FILE_WIDE, i, key);
        }
        if (status == SHUNT_OK) status = shunt_ledger_close(w.ledger, SHUNT_LEVEL_TRANSACTION, false, SHUNT_POSTED);
        bool all = memory.calls < n;
        ck_assert_int_eq(status, all ? SHUNT_OK : SHUNT_NO_MEMORY);
        if (w.ledger) shunt_ledger_undo(w.ledger);
        world_done(&w);
        ck_assert_uint_eq(memory.blocks, 0);
        if (all) break;
    }
}
END_TEST

/* ---- parcels ---- */

static shunt_status note(void *context, uint32_t tag, const char *bytes, size_t length)
{
    shunt_buffer_format(context, "%u:%.*s ", tag, (int)length, bytes);
    return SHUNT_OK;
}

/* A spool over one buffer that gives it back in pieces of `step`. */
struct pieces {
    shunt_buffer bytes;
    size_t       step;
};

static shunt_status replay_pieces(void *context, uint64_t from, uint64_t to, shunt_spool_sink *sink, void *sink_context)
{
    struct pieces *p = context;
    for (uint64_t at = from; at < to; at += p->step) {
        size_t length = to - at < p->step ? (size_t)(to - at) : p->step;
        SHUNT_TRY(sink(sink_context, p->bytes.bytes + at, length));
    }
    return SHUNT_OK;
}

START_TEST(parcels_come_back_whole)
{
    struct pieces p;
    shunt_spool   spool = { .replay = replay_pieces, .context = &p };
    shunt_buffer  carry, log;
    shunt_buffer_init(&p.bytes, &shunt_memory_libc);
    shunt_buffer_init(&carry, &shunt_memory_libc);
    shunt_buffer_init(&log, &shunt_memory_libc);
    static const char *const items[] = { "first", "", "a third that is longer than the others", "4" };
    for (uint32_t i = 0; i < SHUNT_COUNT(items); i++) {
        size_t at = shunt_parcel_open(&p.bytes);
        shunt_buffer_z(&p.bytes, items[i]);
        shunt_parcel_seal(&p.bytes, at, i + 7);
    }
    for (p.step = 1; p.step <= p.bytes.length; p.step++) {
        log.length = 0;
        ck_assert_int_eq(shunt_parcel_replay(&spool, 0, p.bytes.length, &carry, note, &log), SHUNT_OK);
        shunt_buffer_char(&log, 0);
        ck_assert_str_eq(log.bytes, "7:first 8: 9:a third that is longer than the others 10:4 ");
        ck_assert_int_eq(shunt_parcel_replay(&spool, 0, p.bytes.length - 1, &carry, note, &log), SHUNT_IO);
    }
    shunt_buffer_done(&p.bytes);
    shunt_buffer_done(&carry);
    shunt_buffer_done(&log);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ledger");
    TCase *tc = tcase_create("ledger");
    tcase_add_test(tc, adds_are_undone_with_their_unit);
    tcase_add_test(tc, wider_totals_wait_for_their_transaction);
    tcase_add_test(tc, the_limit_of_groups_counts_all_levels);
    tcase_add_test(tc, several_keys_and_members);
    tcase_add_test(tc, control_totals);
    tcase_add_test(tc, more_than_38_digits);
    tcase_add_test(tc, groups_of_what_arrives);
    tcase_add_test(tc, memory_that_fails);
    tcase_add_test(tc, parcels_come_back_whole);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
