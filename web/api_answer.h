#pragma once
// What the API's routes answer with.

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "net/http.h"

namespace tailrace {

HttpResponse json_response(int status, const nlohmann::json& body);

/// Why a change of the catalog was refused.
HttpResponse refused_change(error_code error);

}  // namespace tailrace
