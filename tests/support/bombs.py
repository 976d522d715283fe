"""Structure bombs: messages whose shape, not whose size, is meant to hurt. Each is made in pieces, never held, never kept in the repository.

`BOMBS` lists them: standard, what is at fault, and a generator of bytes for a count n. The bytes grow with n, so that work for
n, 2n and 4n can be compared (scripts/bombs.py) and the largest be held against the limits (tests/cli/run_bombs.py)."""
import collections
import json
import os
import pathlib
import re
import resource
import subprocess

SECONDS = 120 # of processor time, then a run is ended: something is far from linear
ROOT = pathlib.Path(__file__).resolve().parents[2]

# standard: which rules and which path are tried; count: the n of the acceptance; make: n -> pieces of bytes;
# codes: one of these must be raised by `run` (empty: nothing is wrong with the input but its size)
Bomb = collections.namedtuple("Bomb", "standard name count codes make")
BOMBS = []


def bomb(standard, count, *codes):
    def add(make):
        BOMBS.append(Bomb(standard, make.__name__, count, codes, make))
        return make
    return add


def times(piece, n, at_once=1 << 16):
    """n times a piece of bytes."""
    many = max(1, at_once // max(1, len(piece)))
    block = piece * many
    for _ in range(n // many):
        yield block
    yield piece * (n % many)


def numbered(form, n):
    """form % i for i from 1 to n."""
    for low in range(1, n + 1, 4096):
        yield b"".join(form.replace(b"#", b"%d" % i) for i in range(low, min(low + 4096, n + 1)))


ISA = b"ISA*00*          *00*          *ZZ*EXAMPLEHEALTH  *ZZ*EXAMPLECLINIC  *250301*1200*^*00501*000000101*0*T*:~\n"
IEA = b"IEA*1*000000101~\n"
GS835 = b"GS*HP*EXAMPLEHEALTH*EXAMPLECLINIC*20250301*1200*101*X*005010X221A1~\n"
GS837 = b"GS*HC*EXAMPLECLINIC*EXAMPLEHEALTH*20250301*1200*101*X*005010X222A1~\n"
GE = b"GE*1*101~\n"
HEAD835 = (b"BPR*I*0*C*NON************20250301~\nTRN*1*EFT0001*1999999999~\nN1*PR*EXAMPLE HEALTH~\nN3*1 STREET~\nN4*AUSTIN*TX*787010000~\n"
           b"PER*BL*DESK*TE*5125550100~\nN1*PE*EXAMPLE CLINIC*XX*1234567893~\nLX*1~\n")
OPEN835 = ISA + GS835 + b"ST*835*0001~\n" + HEAD835
CLP = b"CLP*A1001*1*0*0**12*P70001*11*1~\nNM1*QC*1*DOE*JANE****MI*MEM0001~\n"
CLOSE = b"SE*9*0001~\n" + GE + IEA
HEAD837 = (b"BHT*0019*00*B31*20250301*1200*CH~\nNM1*41*2*EXAMPLE CLINIC*****46*EX1~\nPER*IC*DESK*TE*5555550100~\n"
           b"NM1*40*2*EXAMPLE HEALTH*****46*EX2~\n")
OPEN837 = ISA + GS837 + b"ST*837*0001*005010X222A1~\n" + HEAD837
BILLING = b"HL*1**20*1~\nNM1*85*2*EXAMPLE CLINIC*****XX*1234567893~\nN3*1 MAIN STREET~\nN4*ANYTOWN*OH*45011~\nREF*EI*999999992~\n"
SUBSCRIBER = (b"HL*2*1*22*0~\nSBR*P*18*******CI~\nNM1*IL*1*DOE*JANE****MI*M0001~\nN3*2 MAIN STREET~\nN4*ANYTOWN*OH*45011~\n"
              b"DMG*D8*19700230*F~\nNM1*PR*2*EXAMPLE HEALTH*****PI*PAYER1~\n")
CLAIM = b"CLM*A1*150***11:B:1*Y*A*Y*Y~\nHI*ABK:J109~\n"
FORTY = b"1234567890123456789012345678901234567890"


def x12(make, opened=OPEN835, closed=CLOSE):
    def whole(n):
        yield opened
        yield from make(n)
        yield closed
    whole.__name__ = make.__name__
    return whole


def in835(count, *codes):
    return lambda make: bomb("x12", count, *codes)(x12(make))


def in837(count, *codes):
    return lambda make: bomb("x12_837", count, *codes)(x12(make, OPEN837))


@in835(10_000_000, "X12_SEGMENT_LENGTH", "X12_ELEMENTS")
def elements(n):
    yield b"CLP*A1001"
    yield from times(b"*1", n)
    yield b"~\n"


@in835(500_000, "X12_ELEMENTS")
def elements_within_a_segment(n):
    yield b"CLP*A1001"
    yield from times(b"*", n)
    yield b"~\n"


@in835(10_000_000, "X12_TOO_MANY_ELEMENTS")
def elements_in_many_segments(n):
    yield from times(CLP + b"REF*EA*1" + b"*1" * 9_900 + b"~\n", n // 9_900)


@in835(500_000)
def components(n):
    yield CLP + b"SVC*HC"
    yield from times(b":1", n)
    yield b"*10*10~\n"


@in835(1_000_000)
def components_in_many_segments(n):
    yield CLP
    yield from times(b"SVC*HC" + b":1" * 1000 + b"*0*0~\n", n // 1000)


@in837(1_000_000)
def repetitions(n):
    yield BILLING + SUBSCRIBER + b"DMG*D8*19700101*F**RET:1"
    yield from times(b"^RET:1", min(n, 170_000))
    yield b"~\n"
    yield from times(b"DMG*D8*19700101*F**RET" + b"^RET" * 1000 + b"~\n", n // 1000)


@in837(100_000)
def hl_nested(n):
    yield b"HL*1**20*1~\n"
    for i in range(2, n + 1):
        yield b"HL*%d*%d*22*1~\n" % (i, i - 1)


@in837(100_000)
def hl_nested_both_ways(n):
    yield b"HL*1**20*1~\n"
    for i in range(2, n + 1):
        yield b"HL*%d*%d*%d*1~\n" % (i, i - 1, 22 + i % 2)


@in837(100_000)
def hl_wide(n):
    yield BILLING
    for i in range(2, n + 2):
        yield b"HL*%d*1*22*0~\nSBR*P*18*******CI~\n" % i


@in837(100_000)
def hl_same_number(n):
    yield BILLING
    yield from times(b"HL*2*1*22*0~\n", n)


@in837(100_000)
def hl_wild_parents(n):
    for i in range(1, n + 1):
        yield b"HL*%d*%d*22*1~\n" % ((i * 7919) % 1_000_003, (i * 104_729) % 1_000_003)


@in837(50_000)
def hl_forty_digits(n):
    yield BILLING
    yield from times(b"HL*" + FORTY + b"*" + FORTY + b"*22*1~\n", n)


@in837(100_000)
def claims_of_one_subscriber(n):
    yield BILLING + SUBSCRIBER
    yield from times(CLAIM, n)


@in837(200_000)
def lines_of_one_claim(n):
    yield BILLING + SUBSCRIBER + CLAIM
    yield from numbered(b"LX*#~\nSV1*HC:99213*100*UN*1***1~\nDTP*472*D8*20250301~\n", n)


@bomb("x12", 20_000_000, "X12_SEGMENT_LENGTH", "X12_TRUNCATED")
def segment_without_end(n):
    yield OPEN835 + CLP + b"REF*EA*"
    yield from times(b"A", n)


@bomb("x12", 20_000_000, "X12_SEGMENT_LENGTH", "X12_TRUNCATED")
def segment_without_end_of_separators(n):
    yield OPEN835 + CLP + b"REF"
    yield from times(b"*:^\n", n // 4)


@in835(64)
def segments_near_the_limit(n):
    yield CLP
    for _ in range(n):
        yield from times(b"REF*EA*" + b"A" * 1_000_000 + b"~\n", 1)


@bomb("x12", 500_000)
def sets(n):
    yield ISA + GS835
    yield from numbered(b"ST*835*#~\nBPR*I*0*C*NON************20250301~\nSE*3*#~\n", n)
    yield GE + IEA


@bomb("x12", 500_000, "X12_CONTROL_TWICE")
def sets_of_one_number(n):
    yield ISA + GS835
    yield from times(b"ST*835*0001~\nSE*2*0001~\n", n)
    yield GE + IEA


@bomb("x12", 500_000, "X12_NO_SE")
def sets_without_end(n):
    yield ISA + GS835
    yield from times(b"ST*835*0001~\n", n)
    yield GE + IEA


@bomb("x12", 500_000, "X12_UNMAPPED_SET")
def sets_unknown(n):
    yield ISA + GS835
    yield from numbered(b"ST*999*#~\nSE*2*#~\n", n)
    yield GE + IEA


@bomb("x12", 300_000)
def groups(n):
    yield ISA
    yield from numbered(GS835.replace(b"*101*", b"*#*") + b"GE*0*#~\n", n)
    yield IEA


@bomb("x12", 100_000)
def groups_behind_a_large_one(n):
    """What a large group needed must not be paid for by each small one behind it."""
    yield ISA + GS835
    yield from numbered(b"ST*835*#~\nSE*2*#~\n", 70_000)
    yield GE
    yield from numbered(GS835.replace(b"*101*", b"*#*") + b"ST*835*1~\nSE*2*1~\nGE*1*#~\n", n)
    yield IEA


@bomb("x12", 100_000)
def sets_behind_a_large_one(n):
    yield OPEN835
    yield from numbered(CLP.replace(b"A1001", b"A#") + b"CAS*CO*45*x#~\n", 100_000)
    yield b"SE*9*0001~\n"
    yield from numbered(b"ST*835*#~\n" + HEAD835 + b"CLP*B#*1*0*0**12*P70001*11*1~\nCAS*CO*45*x~\nSE*9*#~\n", n)
    yield GE + IEA


@bomb("x12", 300_000, "X12_NO_GE")
def groups_without_end(n):
    yield ISA
    yield from times(GS835, n)
    yield IEA


@bomb("x12", 100_000)
def interchanges(n):
    yield from numbered(ISA.replace(b"*000000101*", b"*#*") + b"IEA*0*#~\n", n)


@bomb("x12", 100_000, "X12_NO_IEA")
def interchanges_without_end(n):
    yield from times(ISA, n)


@bomb("x12", 2_000_000, "X12_NO_ISA", "X12_ISA_LENGTH", "X12_DELIMITERS")
def isa_again_and_again(n):
    yield from times(b"ISA*", n)


@bomb("x12", 20_000_000, "X12_NO_ISA", "X12_ISA_LENGTH", "X12_DELIMITERS")
def isa_giant(n):
    yield b"ISA*00*"
    yield from times(b"A", n)


@in835(1000, "X12_BIN", "X12_UNKNOWN_SEGMENT")
def bin_of_forty_digits(n):
    yield from times(b"BIN*" + FORTY + b"*AAAA~\n", n)


@in835(20_000_000, "X12_BIN", "X12_UNKNOWN_SEGMENT", "X12_SEGMENT_LENGTH", "X12_TRUNCATED")
def bin_giant(n):
    yield b"BIN*60000000*"
    yield from times(b"~", n)


@bomb("x12", 200_000, "X12_SE01")
def counts_of_forty_digits(n):
    yield ISA + GS835
    yield from times(b"ST*835*" + FORTY + b"~\nSE*" + FORTY + b"*" + FORTY + b"~\n", n)
    yield b"GE*" + FORTY + b"*" + FORTY + b"~\nIEA*" + FORTY + b"*" + FORTY + b"~\n"


@in835(1_000_000, "X12_UNKNOWN_SEGMENT")
def unknown_segments(n):
    yield from times(b"ZZZ*1~\n", n)


@in835(1_000_000, "X12_SEGMENT_ID")
def bad_segment_ids(n):
    yield from times(b"a1b2*1~\n", n)


@bomb("x12", 1_000_000, "X12_STRAY")
def stray_segments(n):
    yield ISA
    yield from times(b"REF*1~\nSE*1*1~\n", n // 2)
    yield IEA


@bomb("x12", 1_000_000, "X12_TRAILING_TEXT")
def junk_behind(n):
    yield OPEN835 + CLOSE
    yield from times(b"once upon a time\n", n)


@bomb("x12", 1_000_000, "X12_NO_ISA")
def junk_before(n):
    yield from times(b"once upon a time\n", n)
    yield OPEN835 + CLOSE


@in835(20_000_000)
def blanks_between(n):
    yield from times(b" \r\n\t", n // 4)


@in835(5_000_000)
def empty_segments(n):
    yield from times(b"~", n)


@in835(300_000, "X12_REPEATS")
def adjustments_of_one_claim(n):
    yield CLP
    yield from times(b"CAS*CO*45*1~\n", n)


@in835(300_000)
def references_of_one_claim(n):
    yield CLP
    yield from times(b"REF*EA*12345678~\n", n)


@in835(100_000, "LIMIT_UNIT_BYTES")
def services_of_one_claim(n):
    yield CLP
    yield from times(b"SVC*HC:99213*0*0**1~\nDTM*472*20250210~\nCAS*CO*45*0~\n", n)


@in835(200_000)
def claims(n):
    yield from numbered(CLP.replace(b"A1001", b"A#"), n)


@in835(200_000)
def claims_of_one_key(n):
    yield from times(CLP.replace(b"*1*0*0*", b"*1*10*0*") + b"SVC*HC:99213*10*0**1~\nDTM*472*20250210~\nCAS*CO*45*10~\n", n)


@in835(100_000)
def claims_with_bad_amounts(n):
    yield from numbered(b"CLP*A#*1*" + FORTY + b"*1x**12*P*11*1~\n", n)


@in835(200_000)
def provider_adjustments(n):
    yield CLP
    yield from times(b"PLB*1234567893*20251231*72:A*1~\n", n)


# HL7

MSH = b"MSH|^~\\&|HIS|GENERAL|ERP|GENERAL|20250301230101-0600||DFT^P03^DFT_P03|H1|P|2.5.1\r"
PATIENT = (b"EVN|P03|20250301230101-0600\rPID|1||100234^^^GENERAL^MR||EXAMPLE^ANNA||19700101|F||||||||||A2001\r"
           b"PV1|1|E|ED||||||||||||||||V88001|COM||||||||||||||||||||||||20250301142200-0600\r")
DFT = MSH + PATIENT
FT1 = b"FT1|1|T1||20250301143000-0600|20250301|CG|99284||||612.00&USD||ED01\r"


def inhl7(count, *codes):
    def add(make):
        def whole(n):
            yield DFT
            yield from make(n)
            yield b"\r"
        whole.__name__ = make.__name__
        return bomb("hl7", count, *codes)(whole)
    return add


@inhl7(10_000_000, "HL7_SEGMENT_LENGTH")
def hl7_fields(n):
    yield b"FT1"
    yield from times(b"|1", n)


@inhl7(10_000_000)
def hl7_components(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|99284"
    yield from times(b"^1", min(n, 4_000_000))


@inhl7(4_000_000)
def hl7_subcomponents(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|99284|||1|612.00"
    yield from times(b"&1", n)


@inhl7(1_000_000)
def hl7_repetitions(n):
    yield FT1 + b"OBX|1|NM|1||1"
    yield from times(b"~1", n)


@inhl7(1_000_000)
def hl7_repetitions_wanted(n):
    yield b"PID|1||1"
    yield from times(b"~1^^^A", n)


@inhl7(2_000_000)
def hl7_escapes(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|99284"
    yield from times(b"\\T\\", min(n, 2_700_000))
    yield b"|||1|1.00"


@inhl7(2_000_000)
def hl7_unknown_escapes(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|99284"
    yield from times(b"\\Q\\", min(n, 2_700_000))


@inhl7(8_000_000)
def hl7_hex_escape(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|99284\\X"
    yield from times(b"41", n // 2)
    yield b"\\"


@inhl7(8_000_000)
def hl7_open_escapes(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|99284"
    yield from times(b"\\", n)


@inhl7(20_000_000, "HL7_SEGMENT_LENGTH")
def hl7_segment_without_end(n):
    yield b"FT1|1|T1||20250301143000-0600|20250301|CG|"
    yield from times(b"A", n)


@inhl7(1_000_000)
def hl7_segments(n):
    yield from times(b"ZZZ|1\r", n)


@inhl7(1_000_000)
def hl7_unknown_segments(n):
    yield from times(b"QQQ|1\r", n)


@inhl7(1_000_000)
def hl7_bad_segments(n):
    yield from times(b"a b|1\r", n)


@inhl7(300_000)
def hl7_charges(n):
    yield from times(FT1, n)


@inhl7(300_000)
def hl7_groups_out_of_order(n):
    yield from times(b"PID|1||1\rFT1|1\rIN1|1\r", n // 3)


@inhl7(1_000_000)
def hl7_continued(n):
    yield b"FT1|1|T1"
    yield from times(b"\rADD|1", n)


@bomb("hl7", 200_000)
def hl7_messages(n):
    yield from numbered(MSH.replace(b"|H1|", b"|H#|") + PATIENT, n)


@bomb("hl7", 100_000)
def hl7_messages_behind_a_large_one(n):
    yield DFT
    yield from times(FT1.replace(b"612.00", b"x"), 100_000)
    yield from numbered(MSH.replace(b"|H1|", b"|H#|") + PATIENT + FT1, n)


@bomb("hl7", 300_000)
def hl7_headers(n):
    yield from times(MSH, n)


@bomb("hl7", 300_000)
def hl7_headers_without_type(n):
    yield from times(b"MSH|^~\\&|A\r", n)


@bomb("hl7", 300_000)
def hl7_headers_of_bad_separators(n):
    yield from times(b"MSH|||A\rMSHAAAAA\rMSH|^^^^|A|\r", n // 3)


@bomb("hl7", 300_000)
def hl7_batches(n):
    yield from times(b"FHS|^~\\&|A\rBHS|^~\\&|A\r", n // 2)


@bomb("hl7", 300_000)
def hl7_batch_counts(n):
    yield from times(b"BHS|^~\\&|A\rBTS|" + FORTY + b"\r", n // 2)


@bomb("hl7", 20_000_000)
def hl7_frames_begun(n):
    yield DFT
    yield from times(b"\x0b", n)


@bomb("hl7", 2_000_000)
def hl7_frames_around_junk(n):
    yield DFT
    yield from times(b"\x0bjunk\x1c\r", n)


@bomb("hl7", 300_000)
def hl7_frames_without_end(n):
    yield from times(b"\x0b" + MSH, n)


@bomb("hl7", 1_000_000)
def hl7_junk(n):
    yield from times(b"once upon a time\r", n)
    yield DFT


@bomb("hl7", 1_000_000)
def hl7_junk_behind(n):
    yield DFT + b"\x1c"
    yield from times(b"once upon a time\r\n", n)


@bomb("hl7", 8_000_000)
def hl7_header_giant(n):
    yield b"MSH|^~\\&|"
    yield from times(b"A", n)
    yield b"|B|C|D|20250301||DFT^P03|H1|P|2.5.1\r"


@bomb("hl7", 4_000_000)
def hl7_version_giant(n):
    yield b"MSH|^~\\&|HIS|GENERAL|ERP|GENERAL|20250301230101-0600||DFT^P03^DFT_P03|H1|P|"
    yield from times(b"9", n)
    yield b"\r" + PATIENT


# FHIR

EOB = (b'{"resourceType":"ExplanationOfBenefit","id":"#","identifier":[{"value":"E#"}],"status":"active","outcome":"complete","created":"2025-03-03",'
       b'"payment":{"date":"2025-03-06","amount":{"value":1.00,"currency":"USD"}},')
ITEM = b'{"sequence":1,"adjudication":[{"category":{"coding":[{"code":"submitted"}]},"amount":{"value":0.00,"currency":"USD"}}]}'


def infhir(count, *codes):
    """Inside of an object that is a member of an ExplanationOfBenefit."""
    def add(make):
        def whole(n):
            yield EOB.replace(b"#", b"1")
            yield from make(n)
            yield b"}\n"
        whole.__name__ = make.__name__
        return bomb("fhir", count, *codes)(whole)
    return add


@infhir(5_000_000, "FHIR_DEEP", "FHIR_JSON")
def json_arrays(n):
    yield b'"item":'
    yield from times(b"[", n)
    yield from times(b"]", n)


@infhir(2_000_000, "FHIR_DEEP", "FHIR_JSON")
def json_objects(n):
    yield b'"item":'
    yield from times(b'{"a":', n)
    yield b"1"
    yield from times(b"}", n)


@infhir(2_000_000, "FHIR_DEEP", "FHIR_JSON")
def json_open(n):
    yield b'"item":'
    yield from times(b'[{"item":', n)


@infhir(1_000_000)
def json_keys(n):
    yield b'"a":1'
    yield from numbered(b',"k#":1', n)


@infhir(300_000)
def json_besides(n):
    yield b'"a":1'
    yield from numbered(b',"_k#":{"id":"1"},"k#":1', n)


@infhir(300_000)
def json_besides_of_one(n):
    yield b'"a":[1'
    yield from times(b",1", n)
    yield b'],"_a":[null'
    yield from times(b',{"id":"1"}', n)
    yield b"]"


@infhir(1_000_000, "FHIR_KEY_TWICE")
def json_same_keys(n):
    yield b'"a":1'
    yield from times(b',"outcome":"complete"', n)


@infhir(1_000_000)
def json_unknown_same_keys(n):
    yield b'"a":1'
    yield from times(b',"a":1', n)


@infhir(20_000_000)
def json_string(n):
    yield b'"a":"'
    yield from times(b"A", n)
    yield b'"'


@infhir(20_000_000, "FHIR_VALUE_BYTES", "FHIR_LIMIT")
def json_string_wanted(n):
    yield b'"outcome":"'
    yield from times(b"A", n)
    yield b'"'


@infhir(20_000_000, "FHIR_LIMIT")
def json_number(n):
    yield b'"a":'
    yield from times(b"1", n)


@infhir(20_000_000, "FHIR_LIMIT")
def json_name(n):
    yield b'"'
    yield from times(b"A", n)
    yield b'":1'


@infhir(3_000_000, "FHIR_VALUE_BYTES", "FHIR_LIMIT")
def json_escapes(n):
    yield b'"outcome":"'
    yield from times(b"\\u0041", n)
    yield b'"'


@infhir(20_000_000)
def json_blanks(n):
    yield b'"a":'
    yield from times(b" ", n)
    yield b"1"


@infhir(100_000, "LIMIT_UNIT_BYTES")
def json_items(n):
    yield b'"item":[' + ITEM
    yield from times(b"," + ITEM, n)
    yield b"]"


@infhir(1_000_000)
def json_empty_items(n):
    yield b'"item":[{}'
    yield from times(b",{}", n)
    yield b"]"


@infhir(1_000_000)
def json_nulls(n):
    yield b'"item":[null'
    yield from times(b",null", n)
    yield b"]"


@infhir(1_000_000)
def json_values_for_objects(n):
    yield b'"item":[1'
    yield from times(b",1", n)
    yield b"]"


@infhir(200_000)
def json_contained(n):
    yield b'"contained":[{}'
    yield from numbered(b',{"resourceType":"Patient","id":"p#"}', n)
    yield b"]"


@bomb("fhir", 100_000)
def ndjson_resources(n):
    yield from numbered(EOB + b'"item":[' + ITEM + b"]}\n", n)


@bomb("fhir", 1_000_000, "FHIR_JSON", "FHIR_TRAILING")
def ndjson_junk(n):
    yield EOB.replace(b"#", b"1") + b'"item":[' + ITEM + b"]}\n"
    yield from times(b"once upon a time\n", n)


@bomb("fhir", 1_000_000, "FHIR_NO_TYPE")
def ndjson_without_type(n):
    yield from times(b"{}\n", n)


@bomb("fhir", 1_000_000, "FHIR_UNMAPPED")
def ndjson_unmapped(n):
    yield from times(b'{"resourceType":"Patient"}\n', n)


@bomb("fhir", 5_000_000)
def ndjson_blank_lines(n):
    yield EOB.replace(b"#", b"1") + b'"item":[' + ITEM + b"]}\n"
    yield from times(b"\n", n)


BUNDLE = b'{"resourceType":"Bundle","type":"collection","entry":['


@bomb("bundle", 100_000)
def bundle_entries(n):
    yield BUNDLE + b"{}"
    yield from numbered(b',{"fullUrl":"urn:uuid:#","resource":' + EOB + b'"item":[{"sequence":1}]}}', n)
    yield b"]}"


@bomb("bundle", 300_000)
def bundle_of_others(n):
    yield BUNDLE + b"{}"
    yield from numbered(b',{"resource":{"resourceType":"Patient","id":"#"}}', n)
    yield b"]}"


@bomb("bundle", 300_000)
def bundle_of_no_type(n):
    """Each entry has to look whether it is one of a Bundle."""
    yield b'{"type":"collection"'
    yield from numbered(b',"k#":1', n // 2)
    yield b',"entry":[{}'
    yield from times(b",{}", n // 2)
    yield b"]}"


@bomb("bundle", 1_000_000)
def bundle_empty_entries(n):
    yield BUNDLE + b"{}"
    yield from times(b",{}", n)
    yield b"]}"


@bomb("bundle", 20_000_000)
def bundle_type_late(n):
    yield BUNDLE + b'{"resource":{"text":"'
    yield from times(b"A", n)
    yield b'","resourceType":"ExplanationOfBenefit"}}]}'


XML = b'<?xml version="1.0"?>\n<ExplanationOfBenefit xmlns="http://hl7.org/fhir"><id value="1"/><identifier><value value="E1"/></identifier>'
XML_END = b"</ExplanationOfBenefit>"


def inxml(count, *codes):
    def add(make):
        def whole(n):
            yield XML
            yield from make(n)
            yield XML_END
        whole.__name__ = make.__name__
        return bomb("fhir", count, *codes)(whole)
    return add


@inxml(100_000, "FHIR_LIMIT")
def xml_attributes(n):
    yield b"<outcome"
    yield from numbered(b' a#="1"', n)
    yield b"/>"


@inxml(100_000, "FHIR_LIMIT", "FHIR_NAMESPACE", "FHIR_XML")
def xml_namespaces(n):
    yield b"<outcome"
    yield from numbered(b' xmlns:a#="urn:#"', n)
    yield b"/>"


@inxml(100_000)
def xml_namespaces_of_many(n):
    yield from numbered(b'<outcome xmlns:a#="urn:#" value="1"/>', n)


@inxml(100_000)
def xml_names(n):
    yield from numbered(b"<name#/>", n)


@inxml(2_000_000, "FHIR_DEEP", "FHIR_XML")
def xml_nested(n):
    yield from times(b"<item>", n)
    yield from times(b"</item>", n)


@inxml(20_000_000, "FHIR_LIMIT", "FHIR_XML")
def xml_name(n):
    yield b"<"
    yield from times(b"a", n)
    yield b"/>"


@inxml(20_000_000, "FHIR_VALUE_BYTES", "FHIR_LIMIT", "FHIR_XML")
def xml_value(n):
    yield b'<outcome value="'
    yield from times(b"a", n)
    yield b'"/>'


@inxml(3_000_000, "FHIR_VALUE_BYTES", "FHIR_LIMIT", "FHIR_XML")
def xml_references(n):
    yield b'<outcome value="'
    yield from times(b"&#65;", n)
    yield b'"/>'


@inxml(20_000_000)
def xml_comment(n):
    yield b"<!--"
    yield from times(b"a", n)
    yield b"-->"


@inxml(1_000_000)
def xml_comments(n):
    yield from times(b"<!--a-->", n)


@inxml(1_000_000)
def xml_instructions(n):
    yield from times(b"<?a b?>", n)


@inxml(20_000_000, "FHIR_TEXT")
def xml_text(n):
    yield from times(b"text", n // 4)


@inxml(1_000_000, "FHIR_TEXT")
def xml_texts(n):
    yield from times(b"text<item/>", n)


@inxml(20_000_000, "FHIR_TEXT")
def xml_cdata(n):
    yield b"<![CDATA["
    yield from times(b"text", n // 4)
    yield b"]]>"


@inxml(1_000_000)
def xml_items(n):
    yield from times(b"<item/>", n)


@inxml(200_000)
def xml_narrative(n):
    yield b'<text><div xmlns="http://www.w3.org/1999/xhtml">'
    yield from times(b"<p>a</p>", n)
    yield b"</div></text>"


@bomb("fhir", 1_000, "FHIR_DTD")
def xml_entities(n):
    yield b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "a">'
    yield from numbered(b'<!ENTITY a# "&a0;&a0;">', n)
    yield b"]><ExplanationOfBenefit xmlns=\"http://hl7.org/fhir\"/>"


# Rows

HEADER = b"number,deposited_on,kind,amount,payer,trace\n"
ROW = b"D1,03/05/2025,CHECK,0.00,EXAMPLE,T1\n"


@bomb("csv", 1_000_000, "CSV_ROW_LONG", "CSV_CELLS_LIMIT", "CSV_HEADER")
def csv_columns(n):
    yield b"number"
    yield from numbered(b",c#", n)
    yield b"\n" + ROW


@bomb("csv", 10_000_000, "CSV_ROW_LONG", "CSV_CELLS", "CSV_CELLS_LIMIT")
def csv_cells(n):
    yield HEADER + b"D1"
    yield from times(b",", n)
    yield b"\n" + ROW


@bomb("csv", 10_000_000)
def csv_cells_of_many(n):
    yield HEADER
    yield from times(b"," * 10_000 + b"\n", n // 10_000)


@bomb("csv", 20_000_000, "CSV_UNCLOSED", "CSV_ROW_LONG")
def csv_unclosed(n):
    yield HEADER + b'"'
    yield from times(ROW, n // len(ROW))


@bomb("csv", 20_000_000, "CSV_ROW_LONG")
def csv_row_without_end(n):
    yield HEADER
    yield from times(b"A", n)


@bomb("csv", 10_000_000)
def csv_quotes(n):
    yield HEADER + b'"'
    yield from times(b'""', n)
    yield b'",03/05/2025,CHECK,0.00,EXAMPLE,T1\n' + ROW


@bomb("csv", 500_000)
def csv_stray_quotes(n):
    yield HEADER
    yield from times(b'a"b"c,1"2\n', n)


@bomb("csv", 1_000_000, "CSV_CELLS")
def csv_junk(n):
    yield HEADER
    yield from times(b"once upon a time\n", n)


@bomb("csv", 10_000_000)
def csv_blank_lines(n):
    yield HEADER
    yield from times(b"\n", n)
    yield ROW


@bomb("csv", 300_000)
def csv_rows(n):
    yield HEADER
    yield from numbered(ROW.replace(b"D1", b"D#"), n)


@bomb("csv", 300_000, "KEY_REPEATED", "KEY_CONFLICT")
def csv_rows_of_one_key(n):
    yield HEADER
    yield from times(ROW.replace(b"0.00", b"1.00"), n)


@bomb("csv", 300_000)
def csv_bad_bytes(n):
    yield HEADER
    yield from times(b"\xff\xfe,03/05/2025,CHECK,0.00,\xc3,T1\n", n)


HEAD94 = b"101 07100001312345678912611160800A094101EXAMPLE BANK           EXAMPLE HEALTH                 \n"
BATCH94 = b"5220EXAMPLE HEALTH                      1512345678CCDHCCLAIMPMT261116261116   1071000010000001\n"
ENTRY94 = b"6220910000220001234567       00000820001999999992     EXAMPLE CLINIC          1071000010000001\n"
ADDENDA94 = b"705TRN*1*990011223*1512345678~                                                     00010000001\n"
CONTROL94 = b"822000000300182000040000000000000000000835001512345678                         071000010000001\n"


@bomb("fixed", 20_000_000, "CSV_LENGTH", "CSV_ROW_LONG")
def fixed_without_line_ends(n):
    yield HEAD94[:-1] + BATCH94[:-1]
    yield from times(b"6", n)


@bomb("fixed", 200_000)
def fixed_batches(n):
    yield HEAD94
    yield from times(BATCH94 + ENTRY94 + CONTROL94, n // 3)


@bomb("fixed", 300_000, "LIMIT_UNIT_BYTES", "KEY_REPEATED")
def fixed_entries(n):
    yield HEAD94 + BATCH94
    yield from times(ENTRY94, n)
    yield CONTROL94


@bomb("fixed", 200_000)
def fixed_addenda(n):
    yield HEAD94 + BATCH94 + ENTRY94
    yield from times(ADDENDA94, n)
    yield CONTROL94


@bomb("fixed", 500_000, "CSV_UNKNOWN")
def fixed_unknown(n):
    yield HEAD94 + BATCH94
    yield from times(b"XX" + b"1" * 92 + b"\n", n)


@bomb("fixed", 500_000, "CSV_LENGTH")
def fixed_short(n):
    yield HEAD94 + BATCH94
    yield from times(b"62 short\n", n)


@bomb("fixed", 300_000, "CSV_REPEATED")
def fixed_repeated(n):
    yield HEAD94 + BATCH94
    yield from times(CONTROL94, n)


@bomb("fixed", 300_000, "CSV_RECORD")
def fixed_orphans(n):
    yield HEAD94
    yield from times(ENTRY94, n)


BAI = b"01,A,B,250305,0600,1,,,2/\n02,A,B,1,250304,,USD,2/\n03,1,USD,010,1,,/\n"


@bomb("bai2", 500_000, "CSV_ROW_LONG", "CSV_CONTINUATION", "CSV_CELLS_LIMIT")
def bai2_continued(n):
    yield BAI + b"16,165,100,Z,A,B,text/\n"
    yield from times(b"88,more text/\n", n)
    yield b"49,100,3/\n98,100,1,5/\n99,100,1,7/\n"


@bomb("bai2", 300_000)
def bai2_details(n):
    yield BAI
    yield from numbered(b"16,165,1,Z,A#,B,text/\n", n)
    yield b"49,100,3/\n98,100,1,5/\n99,100,1,7/\n"


# What is no message of any standard

@bomb("x12", 20_000_000)
def nothing_but_zeros(n):
    yield from times(b"\0", n)


@bomb("x12", 20_000_000)
def nothing_but_letters(n):
    yield from times(b"A", n)


# What is done with them

Done = collections.namedtuple("Done", "status seconds mib faults codes said")
# standard -> rules, path of get
RULES = {"x12": ("rules/x12/remit_gl.map", "2100.CLP01"), "x12_837": ("rules/x12/claim_ar.map", "2300.CLM01"), "hl7": ("rules/hl7/dft_charges.map", "FT1-7.1"),
         "fhir": ("rules/fhir/eob_adjudication.map", "ExplanationOfBenefit.item.sequence"), "bundle": ("bench/bundle.map", "ExplanationOfBenefit.item.sequence"),
         "csv": ("bench/deposits.map", "number"), "fixed": ("ach.map", "1"), "bai2": ("rules/csv/bai2.map", "1")}
VALIDATED = ("x12", "x12_837", "hl7", "fhir", "bundle")


class Bench:
    def __init__(self, shunt, folder):
        self.shunt, self.folder = str(pathlib.Path(shunt).resolve()), folder
        (folder / "key").write_bytes(b"a key for bombs")
        page = (ROOT / "docs/csv.md").read_text()
        (folder / "ach.map").write_text(re.search(r"^```map file=ach.map\n(.*?)^```", page, re.M | re.S).group(1))
        self.start = min(self.run(["dict"]).seconds for _ in range(3))

    def write(self, bomb, count, name):
        with open(self.folder / name, "wb") as out:
            for piece in bomb.make(count):
                out.write(piece)
            return out.tell()

    @staticmethod
    def verbs(bomb):
        return ["run", "inspect", "get"] + (["whole"] if bomb.standard in ("fhir", "bundle") else []) + (["validate"] if bomb.standard in VALIDATED else [])

    def run(self, command):
        """Status, processor seconds, peak MiB, standard error of a command; its output goes to the file `out`."""
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            child = subprocess.Popen([self.shunt, *map(str, command)], stdout=out, stderr=err, cwd=ROOT,
                                     preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)))
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        said = (self.folder / "err").read_bytes()[:2000].decode(errors="replace")
        return Done(child.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, 0, {}, said.strip().split("\n")[0][:150])

    def measure(self, bomb, verb, name):
        rules, path = RULES[bomb.standard]
        rules = self.folder / rules if bomb.standard == "fixed" else rules
        faults = self.folder / "faults"
        faults.write_bytes(b"")
        command = {"run": ["run", rules, self.folder / name, "-q", "-k", self.folder / "key", "-o", os.devnull, "--exceptions", faults,
                           "--report", self.folder / "report"],
                   "inspect": ["inspect", self.folder / name], "get": ["get", path, self.folder / name],
                   "whole": ["get", "Bundle" if bomb.standard == "bundle" else "ExplanationOfBenefit", self.folder / name],
                   "validate": ["validate", self.folder / name, "--snip", "5", "--json", "--ack", self.folder / "ack"]}[verb]
        done = self.run(command)
        codes = collections.Counter()
        count = 0
        if verb == "run":
            with open(faults, "rb") as lines:
                for line in lines:
                    count += 1
                    if count <= 20_000:
                        found = json.loads(line)
                        codes[found.get("cause") or found["code"]] += 1
        elif verb == "validate":
            with open(self.folder / "out", "rb") as lines:
                for line in lines:
                    count += 1
                    if count <= 20_000:
                        codes[json.loads(line).get("code", "-")] += 1
        return done._replace(faults=count, codes=dict(codes.most_common(4)))
