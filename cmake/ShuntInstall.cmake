# make install: command, libraries, header, pkg-config file, CMake package, man page, completions, pages, rules.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS shunt_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS shunt_shared EXPORT ShuntTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES $<TARGET_FILE:shunt> DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES include/shunt/shunt.h include/shunt/extern.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/shunt)
install(EXPORT ShuntTargets NAMESPACE Shunt:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Shunt)

# The pkg-config file finds the rest from where it stands, so an installed tree may be moved.
file(RELATIVE_PATH SHUNT_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/shunt.pc.in shunt.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/shunt.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/ShuntConfig.cmake.in ShuntConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Shunt)
write_basic_package_version_file(ShuntConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ShuntConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ShuntConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Shunt)

# Pages and rules lie as in the source, so that what they say of each other holds where they are installed.
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
install(FILES CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY rules/ DESTINATION ${CMAKE_INSTALL_DATADIR}/shunt/rules)
install(FILES ${CMAKE_BINARY_DIR}/cli/shunt.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_BINARY_DIR}/cli/shunt.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME shunt)
install(FILES ${CMAKE_BINARY_DIR}/cli/_shunt DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${CMAKE_BINARY_DIR}/cli/shunt.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
