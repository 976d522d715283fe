# Journals of shunt, one record of JSON a line, as a person reads them. mawk is enough.
function member(text, name,   at, rest) {
    at = index(text, "\"" name "\":\"")
    if (!at) return ""
    rest = substr(text, at + length(name) + 4)
    return substr(rest, 1, index(rest, "\"") - 1)
}
{
    record = substr($0, index($0, "\"record\":"))
    at = index(record, "\"lines\":[")
    head = substr(record, 1, at)
    body = substr(record, at + 9)
    body = substr(body, 1, index(body, "]") - 1)
    count = split(body, lines, "},{")
    printf "%s  %s  %s\n", member(head, "date"), member(head, "origin"), member(body, "claim")
    for (i = 1; i <= count; i++) {
        side = member(lines[i], "side")
        reason = member(lines[i], "reason")
        printf "    %-6s %s %s%12s%s%s\n", side, member(lines[i], "account"), side == "credit" ? "              " : "", member(lines[i], "amount"),
               side == "credit" ? "" : "              ", reason == "" ? "" : "  " reason
    }
}
