# What every target is compiled with, and the one way to add a folder's library.
add_library(tailrace_options INTERFACE)
target_compile_options(tailrace_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict>  # g++ 12 sees ghosts in inlined strings
  $<$<BOOL:${TAILRACE_WERROR}>:-Werror>)
target_include_directories(tailrace_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(tailrace_options INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  TAILRACE_VERSION="${PROJECT_VERSION}")
if(TAILRACE_SANITIZE)
  target_compile_options(tailrace_options INTERFACE -fsanitize=${TAILRACE_SANITIZE} -fno-omit-frame-pointer -g)
  target_link_options(tailrace_options INTERFACE -fsanitize=${TAILRACE_SANITIZE})
  if(TAILRACE_SANITIZE MATCHES thread)
    # asio fences its queues; gcc warns that tsan does not model fences
    target_compile_options(tailrace_options INTERFACE -Wno-tsan)
  endif()
endif()
set(TAILRACE_LIBRARIES "" CACHE INTERNAL "every folder's library")

# tailrace_library(base SOURCES … LINK …): the static library of one folder.
function(tailrace_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(tailrace_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(tailrace_${name} PUBLIC tailrace_options ${ARG_LINK})
  set(TAILRACE_LIBRARIES ${TAILRACE_LIBRARIES} ${name} CACHE INTERNAL "")

  # Each header beside a source must compile alone: one tiny file per header, built by the target check_headers.
  set(patterns ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  foreach(source ${ARG_SOURCES})
    get_filename_component(folder ${source} DIRECTORY)
    list(APPEND patterns ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.h)
  endforeach()
  file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${patterns})
  list(REMOVE_DUPLICATES headers)
  set(units "")
  foreach(header ${headers})
    string(REPLACE "/" "_" unit ${header})
    set(unit ${PROJECT_BINARY_DIR}/check_headers/${unit}.cpp)
    if(NOT EXISTS ${unit})
      file(WRITE ${unit} "#include \"${header}\"  // stands alone\n")
    endif()
    list(APPEND units ${unit})
  endforeach()
  if(units)
    add_library(check_headers_${name} OBJECT EXCLUDE_FROM_ALL ${units})
    target_link_libraries(check_headers_${name} PRIVATE tailrace_${name})
    if(NOT TARGET check_headers)
      add_custom_target(check_headers)
    endif()
    add_dependencies(check_headers check_headers_${name})
  endif()
endfunction()
