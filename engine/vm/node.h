/* node.h - what a program says of the messages that it writes (x12, hl7, fhir): the nodes that the compiler makes and the encoders follow. */
#ifndef SHUNT_NODE_H
#define SHUNT_NODE_H

#include <stdint.h>

/* What a message is made of, in the order in which it is written. The nodes of a body stand behind their owner. */
typedef enum shunt_message_kind {
    SHUNT_MESSAGE_SETTING, /* of the envelope: `number` says which; a value */
    SHUNT_MESSAGE_RECORD,  /* body: once for each record of a set, what is around it once a set */
    SHUNT_MESSAGE_EACH,    /* body: once for each row of the list in `field`; fields of the body are those of the row */
    SHUNT_MESSAGE_SEGMENT, /* `name`; `number`: depth of its loop in the guide, 0 = of the set itself; `decimals`: loops that it begins at
                            * once; body: elements */
    SHUNT_MESSAGE_ELEMENT, /* `number`: position in what is around it; a value, or a body: components, or EACH: repetitions */
    SHUNT_MESSAGE_MEMBER,  /* FHIR: `name`; a value, or a body: its members, or ITEMs and EACHes where it is ARRAY */
    SHUNT_MESSAGE_ITEM,    /* of an array: a value, or a body */
    SHUNT_MESSAGE_KIND_COUNT
} shunt_message_kind;
typedef enum shunt_message_format {
    SHUNT_FORMAT_TEXT,
    SHUNT_FORMAT_CODE,    /* text of no less than `min` characters; TEXT is filled with blanks */
    SHUNT_FORMAT_NUMBER,  /* with its point; `min` and `max` count digits */
    SHUNT_FORMAT_IMPLIED, /* `decimals` digits behind a point that is not written */
    SHUNT_FORMAT_DATE,    /* CCYYMMDD, YYMMDD where `max` is 6 */
    SHUNT_FORMAT_TIME,    /* of a moment: HHMM, HHMMSS where `max` is at least 6 */
    SHUNT_FORMAT_MOMENT,  /* HL7: YYYYMMDDHHMMSS and the zone, or as far as it is known */
    SHUNT_FORMAT_BARE,    /* JSON: a number or a truth value, as it is */
    SHUNT_FORMAT_XHTML,   /* FHIR: a narrative whose text this is */
    SHUNT_FORMAT_COUNT
} shunt_message_format;
enum {
    SHUNT_MESSAGE_REQUIRED = 1, /* where what is around it is written */
    SHUNT_MESSAGE_CONSTANT = 2, /* says nothing of a record: alone it makes no segment */
    SHUNT_MESSAGE_STARTS = 4,   /* a segment: it begins its loop, without it nothing else of that is written */
    SHUNT_MESSAGE_ARRAY = 8,
    SHUNT_MESSAGE_ATTRIBUTE = 16, /* XML has it as an attribute */
    SHUNT_MESSAGE_RESOURCE = 32,  /* FHIR: all there is in the body around it, a resource of the type `name` */
    SHUNT_MESSAGE_FLAGS = 63
};
enum { SHUNT_MESSAGE_DEPTH = 80, SHUNT_MESSAGE_LOOPS = 16 };
/* What settings of the header of an HL7 message are about: its fields. */
enum {
    SHUNT_HL7_SENDING_APPLICATION = 3,
    SHUNT_HL7_SENDING_FACILITY,
    SHUNT_HL7_RECEIVING_APPLICATION,
    SHUNT_HL7_RECEIVING_FACILITY,
    SHUNT_HL7_PROCESSING = 11,
    SHUNT_HL7_ACCEPT_ACK = 15,
    SHUNT_HL7_APPLICATION_ACK,
    SHUNT_HL7_SETTINGS
};
/* What settings of an X12 envelope are about. */
enum {
    SHUNT_X12_SENDER_QUALIFIER = 1,
    SHUNT_X12_SENDER,
    SHUNT_X12_RECEIVER_QUALIFIER,
    SHUNT_X12_RECEIVER,
    SHUNT_X12_GROUP_SENDER,
    SHUNT_X12_GROUP_RECEIVER,
    SHUNT_X12_USAGE,
    SHUNT_X12_SETTINGS
};
typedef struct shunt_message_node {
    uint8_t  kind, format, decimals, flags;
    uint16_t name;  /* text, SHUNT_NONE */
    uint16_t field; /* of the message record, or of the row around it; SHUNT_NONE */
    uint16_t number;
    uint16_t min, max; /* characters, 0 = not limited */
    uint16_t with;     /* a constant that stands only with this element (a qualifier with its value); 0 = always */
    uint32_t count;    /* nodes of its body, those in them included */
} shunt_message_node;

#endif
