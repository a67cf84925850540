# What `cpack -G DEB` puts into the Debian package (deploy/package builds it).
set(debian ${CMAKE_CURRENT_LIST_DIR})
set(made ${CMAKE_BINARY_DIR}/debian)
set(about usr/share/doc/touchstream)

add_custom_command(
  OUTPUT ${made}/touchstream.1
  COMMAND touchstream --help | awk -f ${debian}/manual.awk > ${made}/touchstream.1
  DEPENDS touchstream ${debian}/manual.awk VERBATIM)
add_custom_target(manual DEPENDS ${made}/touchstream.1)

# The unit is that of deploy/systemd, for a program installed by hand; a package's is in /usr/bin.
file(READ ${CMAKE_SOURCE_DIR}/deploy/systemd/touchstream@.service unit)
string(REPLACE "/usr/local/bin/" "/usr/bin/" unit "${unit}")
file(WRITE ${made}/touchstream@.service "${unit}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/deploy/systemd/touchstream@.service)

# Absolute, so that CMAKE_INSTALL_PREFIX moves the program alone; all but the program are the package's and of no use to `cmake --install`.
function(package_file file destination)
  install(FILES ${file} DESTINATION ${destination} COMPONENT debian EXCLUDE_FROM_ALL ${ARGN})
endfunction()
install(TARGETS touchstream RUNTIME DESTINATION /usr/bin COMPONENT debian EXCLUDE_FROM_ALL)
package_file(${made}/touchstream@.service /lib/systemd/system)
package_file(${CMAKE_SOURCE_DIR}/deploy/touchstream.yaml /etc/touchstream)
package_file(${made}/touchstream.1 /usr/share/man/man1)
package_file(${debian}/completion.bash /usr/share/bash-completion/completions RENAME touchstream)
package_file(${CMAKE_SOURCE_DIR}/LICENSE /${about} RENAME copyright)
package_file(${CMAKE_SOURCE_DIR}/docs/asyncapi.yaml /${about})
file(GLOB documents ${CMAKE_SOURCE_DIR}/docs/*.md)
package_file("${documents}" /${about})
package_file(${CMAKE_SOURCE_DIR}/deploy/redis-memory /${about} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
package_file("${CMAKE_SOURCE_DIR}/deploy/prometheus/scrape.yaml;${CMAKE_SOURCE_DIR}/deploy/prometheus/alerts.yaml" /${about}/prometheus)

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_NAME touchstream)
set(CPACK_PACKAGE_VENDOR touchstream)
set(CPACK_PACKAGE_CONTACT "The touchstream team <touchstream@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "how customers fare after the sale, within a second")
set(CPACK_PACKAGE_DESCRIPTION "Stream processors on Kafka that follow every customer after buying: rolling KPIs with\nconfidence intervals, hot tickets with their reasons, sentiment, follow-ups,\nchurn warnings and trend shifts; to Redis, a web page, webhooks and topics.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "redis-server, prometheus")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${debian}/conffiles;${debian}/postinst;${debian}/prerm;${debian}/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
