/* schema.h - what the dictionaries know: guides (implementation guides of one transaction set or message), their loops,
 * segments, elements, code lists, PHI classes and friendly names.
 * Read-only tables made from standards/dict/ when the project is built; every pointer is valid for ever, nothing is freed. The first look
 * into the dictionary of a standard lays it out (dict/image.h).
 * Used by: dsl (checks paths, makes the plan), the commands inspect, get, dict. The VM never sees it. */
#ifndef SHUNT_SCHEMA_H
#define SHUNT_SCHEMA_H

#include "engine/base/text.h"

typedef enum shunt_standard {
    SHUNT_STANDARD_X12,
    SHUNT_STANDARD_HL7,
    SHUNT_STANDARD_FHIR,
    SHUNT_STANDARD_CSV,
    SHUNT_STANDARD_FIXED,
    SHUNT_STANDARD_COUNT
} shunt_standard;
typedef enum shunt_usage { SHUNT_REQUIRED, SHUNT_SITUATIONAL, SHUNT_NOT_USED } shunt_usage;

/* PHI classes as bits, in the order of the language (language.md section 12). One list, many uses. */
/* clang-format off */
#define SHUNT_PHI_CLASSES(X)                                                                                              \
    X(NAME, "name") X(ADDRESS, "address") X(DATE, "date") X(CONTACT, "contact") X(SSN, "ssn")                             \
    X(RECORD_NUMBER, "record_number") X(MEMBER_ID, "member_id") X(ACCOUNT_NUMBER, "account_number")                       \
    X(LICENCE, "licence") X(VEHICLE, "vehicle") X(DEVICE, "device") X(URL, "url") X(IP_ADDRESS, "ip_address")             \
    X(BIOMETRIC, "biometric") X(PHOTO, "photo") X(IDENTIFIER, "identifier") X(CLINICAL, "clinical") X(FREE_TEXT, "free_text")
/* clang-format on */
typedef enum shunt_phi_index {
#define X(symbol, name) SHUNT_PHI_INDEX_##symbol,
    SHUNT_PHI_CLASSES(X)
#undef X
        SHUNT_PHI_INDEX_COUNT
} shunt_phi_index;
enum {
#define X(symbol, name) SHUNT_PHI_##symbol = 1u << SHUNT_PHI_INDEX_##symbol,
    SHUNT_PHI_CLASSES(X)
#undef X
};
const char *shunt_phi_name(shunt_phi_index index);
bool        shunt_phi_find(shunt_text name, uint32_t *bit);

/* A list of code values, sorted by bytes. `complete`: a value outside it is an error of the literal (E0210) and CODE_UNKNOWN
 * at run time. */
typedef struct shunt_codeset {
    const char        *name; /* "carc", or "" for a list that belongs to one element of a guide */
    const char *const *values;
    const char *const *names; /* short words beside each value, or NULL */
    uint32_t           count;
    bool               complete; /* false: a working list; nothing is an error because of it */
} shunt_codeset;
/* A named list, "carc"; NULL where there is none. */
const shunt_codeset *shunt_codeset_find(shunt_text name);
/* The short words beside a value, "" where none are known. */
const char          *shunt_codeset_name(const shunt_codeset *set, shunt_text value);
bool                 shunt_codeset_has(const shunt_codeset *set, shunt_text value);

/* Data types of elements, by the names of X12 where it has one, and what the language makes of them. */
typedef enum shunt_value_type {
    SHUNT_VALUE_TEXT,    /* AN */
    SHUNT_VALUE_CODE,    /* ID */
    SHUNT_VALUE_AMOUNT,  /* R or Nn whose data element is an amount: money of the source's currency; `decimals`: scale if wider */
    SHUNT_VALUE_DECIMAL, /* R, other; `decimals` = scale of the language type */
    SHUNT_VALUE_IMPLIED, /* Nn, n > 0; `decimals` = n */
    SHUNT_VALUE_INT,     /* N0 */
    SHUNT_VALUE_DATE,    /* DT */
    SHUNT_VALUE_DATE_BY_QUALIFIER, /* AN 1250/1251 pair: D8 a date, RD8 a range; read as a date the start of a range is meant */
    SHUNT_VALUE_TIME,              /* TM */
    SHUNT_VALUE_BINARY,            /* B */
    SHUNT_VALUE_COMPOSITE,
    SHUNT_VALUE_MOMENT, /* HL7 TS, DTM; FHIR dateTime, instant: of any precision, with a zone or without */
    SHUNT_VALUE_BOOL,   /* FHIR boolean */
} shunt_value_type;

/* The classes of an element where the segment has this qualifier. */
typedef struct shunt_key_phi {
    const char *value; /* NULL ends the list */
    uint32_t    phi;
} shunt_key_phi;

typedef struct shunt_element {
    uint16_t             position; /* 1-based within the segment, or within the composite */
    uint16_t             number;   /* X12 data element number, 0 for a composite */
    const char          *name;     /* friendly name in our own words, "claim payment amount" */
    uint8_t              usage;    /* shunt_usage, in this guide at this node */
    uint8_t              type;     /* shunt_value_type */
    uint8_t              decimals; /* scale of the value; of an amount 0 = that of its currency */
    uint8_t              implied;  /* Nn: digits after the point that is not written; 0 = the point is written, or an integer */
    uint8_t              repeats;  /* most repetitions, 1 = none, 255 = no limit */
    uint16_t             min_length, max_length;
    uint32_t             phi;               /* classes: union over what the qualifiers of the node allow */
    const shunt_codeset *codes;             /* closed list of the guide or outside list, NULL = none */
    const struct shunt_element *components; /* of a composite, else NULL; theirs are the subcomponents of HL7 */
    uint16_t                    component_count;
    const char                 *data_type;  /* "CP", "XPN" (HL7), "Money" (FHIR); NULL in X12 */
    const shunt_key_phi        *phi_by_key; /* of the qualifiers whose classes are fewer than `phi`; NULL = it holds for all */
} shunt_element;

/* One segment node of a guide: a segment at its place, told from others of the same id by its qualifier. */
typedef struct shunt_segment_node {
    const char          *id;   /* "NM1" */
    const char          *name; /* "rendering provider" */
    uint8_t              usage;
    uint16_t             max;           /* most repeats, 0 = no limit */
    uint16_t             position;      /* order in the body; equal positions may come in any order */
    uint8_t              key_element;   /* element (1-based) that holds the qualifier, 0 = none */
    uint8_t              key_component; /* component (1-based), 0 = the whole element */
    const shunt_codeset *key;           /* qualifier values of this node; NULL = any */
    const shunt_element *elements;
    uint16_t             element_count;
    const char          *syntax; /* relational conditions of the release, "P0809 C1110": P both or none, R at least one, E not
                                        * both, C the first needs the others, L the first needs one of the others; "" = none */
} shunt_segment_node;

/* One entry of a loop body: a segment node or a loop, in order. Exactly one is set. */
typedef struct shunt_entry {
    const shunt_segment_node *segment;
    const struct shunt_loop  *loop;
} shunt_entry;

typedef struct shunt_loop {
    const char              *id;   /* "2100"; the body of the set itself has "" */
    const char              *name; /* "claim payment" */
    uint8_t                  usage;
    uint16_t                 max; /* 0 = no limit */
    uint16_t                 position;
    const struct shunt_loop *parent; /* NULL for the body of the set */
    const shunt_entry       *body;   /* body[0] of every loop but the set's is the segment that starts it */
    uint16_t                 body_count;
} shunt_loop;

/* A condition of a site's own definition: where segment `when` of a loop has (or has not) one of the values, entry `then` of the loop
 * must be there, or must not. */
typedef struct shunt_condition {
    const shunt_loop    *loop;
    uint16_t             when; /* entry of the loop's body, a segment */
    uint16_t             element, component;
    const shunt_codeset *values; /* NULL: any value */
    bool                 negated, forbidden;
    uint16_t             then;  /* entry of the loop's body */
    const char          *words; /* as the definition has it */
} shunt_condition;

/* The conditions of one guide, at most 64; the shipped guides have none. */
typedef struct shunt_conditions {
    const shunt_condition *items;
    uint32_t               count;
} shunt_conditions;

typedef struct shunt_guide {
    uint8_t           standard;      /* shunt_standard */
    const char       *set;           /* "835", "837" */
    const char       *version;       /* "005010X221A1" */
    const char       *family;        /* "005010X221": versions that differ only in their addenda are one */
    const char       *functional_id; /* GS01: "HP" */
    const char       *name;          /* "health care claim payment/advice" */
    bool              health_care;   /* unlisted segments are free_text, else none */
    const shunt_loop *body;
} shunt_guide;

/* HL7 v2. A guide is a message of a version: `set` "DFT^P03" (all that have this event) or "DFT_P03" (all of this structure), `family`
 * "2.5", `functional_id` the structure. Loops are the groups of the structure, ids as Terser has them ("FINANCIAL"). Entries of a body
 * at one position are alternatives. An instance of a loop is started by every segment that may come first: those of its body up to and
 * with the first required entry, of which a loop counts by the segments that may start it in turn.
 * Elements are fields, their components those of the data type, theirs the subcomponents. PHI classes and `decimals` of a field hold
 * for all its parts and stand there as well. `codes` of a field whose type is composite (CE, CWE) are those of its first component.
 * An amount (NM of money, MO, CP) has SHUNT_VALUE_AMOUNT; see shunt_element_money. */

const shunt_guide *shunt_guide_at(uint32_t index);     /* those of X12, NULL at the end */
const shunt_guide *shunt_hl7_guide_at(uint32_t index); /* those of HL7, by set and version, NULL at the end */
/* The same for what stands in MSH-9 and MSH-12: `set` may have three components, and a version nobody knows is read as the nearest
 * lower one that has the set, else as the lowest. `*exact`: version as asked for. An empty version counts as the newest. NULL: no
 * version has the set. */
const shunt_guide *shunt_hl7_guide_nearest(shunt_text set, shunt_text version, bool *exact);
/* Does any version have messages of this type ("ADT")? */
bool               shunt_hl7_type_known(shunt_text type);
/* <0, 0, >0 like strcmp, by their numbers: "2.5.1" is above "2.5". What is not a number counts as 0. */
int                shunt_hl7_version_compare(shunt_text a, shunt_text b);
/* Exact version first, then the family. NULL where none fits. */
const shunt_guide *shunt_guide_find(shunt_standard standard, shunt_text set, shunt_text version);
/* True when `version`, as it stands in GS08, belongs to the family of the guide. */
bool               shunt_guide_fits(const shunt_guide *guide, shunt_text version);
/* Loops with this id, in order of the tree ("" is the body of the set): 2300 stands under 2000B and under 2000C. Gives their
 * number, which may be above `max`; only the first `max` are written. */
uint32_t           shunt_guide_loops(const shunt_guide *guide, shunt_text id, const shunt_loop **loops, uint32_t max);
/* Segment nodes with this id in the body of one loop, not of the loops under it. Gives their number as above. */
uint32_t           shunt_loop_segments(const shunt_loop *loop, shunt_text id, const shunt_segment_node **segments, uint32_t max);
/* True when the node takes a segment with this qualifier value, or any. */
bool               shunt_segment_takes(const shunt_segment_node *segment, shunt_text qualifier);
/* Element by position; component 0 = the element itself. NULL where the segment has none. */
const shunt_element *shunt_node_element(const shunt_segment_node *segment, uint32_t position, uint32_t component);
/* A part of an element: component 0 = the whole element, subcomponent 0 = the whole component. */
typedef struct shunt_part {
    uint8_t component, subcomponent;
} shunt_part;
/* Where the number of an amount stands, and its currency (component 0: nowhere). `component` 0: the element, else that component of
 * it. False: no amount. */
bool                      shunt_element_money(const shunt_element *element, shunt_part *amount, shunt_part *currency);
bool                      shunt_currency_find(shunt_text code, uint8_t *scale); /* ISO 4217, "USD" -> 2 */
/* Layout of a segment without a guide, NULL if the release ("005010", "004010", HL7 "2.5.1") has no such segment. */
const shunt_segment_node *shunt_segment_find(shunt_text release, shunt_text id);

#endif
