# The console's files as one C++ file, CONSOLE_SOURCE: made by Node from web/console/, or, without Node, none.
set(TAILRACE_CONSOLE AUTO CACHE STRING "ON: the build needs Node and npm; AUTO: it has a console if they are there; OFF: none")
set_property(CACHE TAILRACE_CONSOLE PROPERTY STRINGS AUTO ON OFF)

set(console_dir ${PROJECT_SOURCE_DIR}/web/console)
set(CONSOLE_SOURCE ${PROJECT_SOURCE_DIR}/web/console_none.cpp CACHE INTERNAL "")
if(TAILRACE_CONSOLE)
  find_program(NODE NAMES node nodejs)
  find_program(NPM npm)
  if(NODE AND NPM)
    execute_process(COMMAND ${NODE} --version OUTPUT_VARIABLE node_version OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(NODE AND NPM AND node_version MATCHES "^v([0-9]+)" AND CMAKE_MATCH_1 GREATER_EQUAL 18)
    set(CONSOLE_SOURCE ${PROJECT_BINARY_DIR}/console_files.cpp CACHE INTERNAL "")
  elseif(TAILRACE_CONSOLE STREQUAL ON)
    message(FATAL_ERROR "TAILRACE_CONSOLE=ON needs node 18 or newer and npm (scripts/install-deps brings them)")
  else()
    message(WARNING "No node 18 or newer with npm: the binary gets a plain page in place of its console")
  endif()
endif()

if(CONSOLE_SOURCE STREQUAL ${PROJECT_BINARY_DIR}/console_files.cpp)
  # npm writes this file last.
  set(console_modules ${console_dir}/node_modules/.package-lock.json)
  add_custom_command(
    OUTPUT ${console_modules}
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${console_modules}
    DEPENDS ${console_dir}/package-lock.json
    WORKING_DIRECTORY ${console_dir}
    COMMENT "Console: fetching what it is built with (no network: -DTAILRACE_CONSOLE=OFF)")
  file(GLOB_RECURSE console_sources CONFIGURE_DEPENDS ${console_dir}/src/*)
  set(console_dist ${PROJECT_BINARY_DIR}/console)
  add_custom_command(
    OUTPUT ${CONSOLE_SOURCE}
    COMMAND ${NODE} node_modules/typescript/bin/tsc --noEmit
    COMMAND ${CMAKE_COMMAND} -E env TAILRACE_CONSOLE_OUT=${console_dist} ${NODE} node_modules/vite/bin/vite.js build --logLevel error
    COMMAND ${NODE} embed.mjs ${console_dist} ${CONSOLE_SOURCE}
    DEPENDS ${console_modules} ${console_sources} ${console_dir}/embed.mjs ${console_dir}/index.html
            ${console_dir}/vite.config.ts ${console_dir}/tsconfig.json
    WORKING_DIRECTORY ${console_dir}
    COMMENT "Console: building the page"
    VERBATIM)
endif()
