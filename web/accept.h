#pragma once
// Which of the forms that a route has a request asks for.

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "net/http.h"

namespace tailrace {

/// By the first type of `Accept` that is one of these; their weights (`;q=`) count for nothing. None: none
/// is.
template <class Form>
std::optional<Form> accepted_form(const HttpRequest& request,
                                  std::initializer_list<std::pair<std::string_view, Form>> forms) {
  std::optional<Form> accepted;
  for_each_piece(request.headers.list("accept"), ',', [&](std::string_view type) {
    if (accepted) return;
    std::string_view name = type.substr(0, type.find(';'));
    while (name.ends_with(' ')) name.remove_suffix(1);
    for (const auto& [known, form] : forms)
      if (iequals(name, known)) accepted = form;
  });
  return accepted;
}

}  // namespace tailrace
