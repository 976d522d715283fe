# Adds what was posted to EFT clearing (1015) and holds it against the payment less the claim that was set aside. Whole cents.
function cents(text,   parts, n) {
    n = split(text, parts, ".")
    return (substr(text, 1, 1) == "-" ? -1 : 1) * ((parts[1] < 0 ? -parts[1] : parts[1]) * 100 + (n > 1 ? substr(parts[2] "00", 1, 2) : 0))
}
function money(c) { return sprintf("%s%d.%02d", c < 0 ? "-" : "", (c < 0 ? -c : c) / 100, (c < 0 ? -c : c) % 100) }
{
    count = split($0, lines, "\"side\":\"")
    for (i = 2; i <= count; i++) {
        if (!match(lines[i], /"account":"1015","amount":"[0-9.]*"/)) continue
        amount = substr(lines[i], RSTART, RLENGTH)
        sub(/.*"amount":"/, "", amount)
        sub(/"/, "", amount)
        cash += (lines[i] ~ /^debit/ ? 1 : -1) * cents(amount)
    }
}
END {
    printf "cash posted to 1015 %s = payment BPR02 %s less the quarantined claim %s: %s\n", money(cash), paid, aside,
           cash == cents(paid) - cents(aside) ? "yes" : "NO"
    exit cash != cents(paid) - cents(aside)
}
