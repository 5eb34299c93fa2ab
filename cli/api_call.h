#pragma once
// What the commands that call the API share: whom they mean, and how they say that it did not work.

#include <string>
#include <string_view>

#include "cli/api_client.h"

namespace tailrace {

/// The id of the channel that `app` is the id or the name of; an id that is known wins over a name.
ApiResult<std::string> find_channel(ApiClient& api, const std::string& app);

/// A 2xx whose body makes no sense; `what`: of which question.
ApiFailure bad_answer(std::string_view what);

/// Says on stderr what went wrong and what may help; returns the exit code.
int fail(const ApiFailure& failure);

}  // namespace tailrace
