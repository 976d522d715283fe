# cmake -DINPUTS="a.md;b.md" -DOUTPUT=x.c -DNAME=symbol -P embed.cmake: the files, one after the other, as a C array.
set(bytes "")
foreach(input ${INPUTS})
    file(READ ${input} hex HEX)
    string(APPEND bytes ${hex})
endforeach()
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "/* made from the pages of docs/ */\n#include <stddef.h>\nextern const char ${NAME}[];\nextern const size_t ${NAME}_size;\nconst char ${NAME}[] = {\n${bytes}0 };\nconst size_t ${NAME}_size = sizeof ${NAME} - 1;\n")
