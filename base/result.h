#pragma once
// Expected failures are values. `Result<T>` holds a T or an error_code; each folder has one `errc` enum.

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace tailrace {

using boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

}  // namespace tailrace
