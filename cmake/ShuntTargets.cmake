# Warning, sanitizer and language settings that every library of the project shares, and one function to add a library.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

add_library(shunt_settings INTERFACE)
target_include_directories(shunt_settings INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(shunt_settings INTERFACE _GNU_SOURCE)
target_compile_options(shunt_settings INTERFACE -fno-strict-aliasing -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}/=)
if(SHUNT_SANITIZE)
    target_compile_options(shunt_settings INTERFACE -fsanitize=${SHUNT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(shunt_settings INTERFACE -fsanitize=${SHUNT_SANITIZE})
endif()
if(SHUNT_COVERAGE)
    target_compile_options(shunt_settings INTERFACE --coverage -O0)
    target_link_options(shunt_settings INTERFACE --coverage)
endif()

# The dictionaries are tables full of pointers: packed, their relocations take a few kilobytes instead of megabytes.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,pack-relative-relocs SHUNT_PACKED_RELOCATIONS)
if(SHUNT_PACKED_RELOCATIONS)
    target_link_options(shunt_settings INTERFACE $<BUILD_INTERFACE:-Wl,-z,pack-relative-relocs>)
endif()

add_library(shunt_warnings INTERFACE)
target_compile_options(shunt_warnings INTERFACE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wpointer-arith -Wcast-qual -Wwrite-strings -Wvla -Wformat=2 -Wno-format-nonliteral -Wundef)
if(SHUNT_WERROR)
    target_compile_options(shunt_warnings INTERFACE -Werror)
endif()

# shunt_library(NAME SOURCES... [LINK LIBS...]): a static part of the engine with the project's settings.
function(shunt_library name)
    cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
    add_library(${name} STATIC ${arg_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PUBLIC shunt_settings ${arg_LINK} PRIVATE shunt_warnings)
endfunction()
