#pragma once
// What of the data dir cannot be used. Failures of the system keep their errno.

#include <boost/system/error_category.hpp>
#include <boost/system/error_code.hpp>
#include <type_traits>

namespace tailrace {

enum class DiskErrc {
  ok = 0,
  damaged,  // the bytes are not what was written
  too_big,  // beyond a bound of the format
  newer_version,
  not_a_data_dir
};

const boost::system::error_category& disk_category();
inline boost::system::error_code make_error_code(DiskErrc e) {
  return {int(e), disk_category()};
}

}  // namespace tailrace

template <>
struct boost::system::is_error_code_enum<tailrace::DiskErrc> : std::true_type {};
