#pragma once
// Channels and their tokens as JSON, in requests and answers of every version of the API.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "channels/catalog.h"
#include "net/http.h"
#include "web/json_body.h"

namespace tailrace {

nlohmann::json token_json(const Token& token);

/// Those that are set, as `{"no_tail":true}`.
nlohmann::json flags_json(const Channel& channel);

/// The field `tokens`: names, each once. What is wrong is told by `fields`.
std::optional<std::vector<std::string>> token_names(JsonFields& fields);

/// Makes the token that the request asks for in the channel `:c`. The answer if there is none; `nameless` if
/// it has no name, or none that is good.
std::optional<HttpResponse> make_token(Catalog& catalog, const HttpRequest& request, HttpResponse nameless,
                                       TokenPtr& token);

}  // namespace tailrace
