#pragma once
// Who writes, by the credentials of a request.

#include <optional>
#include <string>
#include <string_view>

#include "channels/catalog.h"
#include "net/http.h"

namespace tailrace {

/// A token (Basic `token:t.<uuid>`, Bearer `t.<uuid>`), or somebody who may write to any channel.
struct Writer {
  TokenPtr token;
  std::string user;  // of a credential, while there is no token

  /// Names him in the process. Secret.
  std::string key() const { return token ? token->id : ":" + user; }
};

/// None: `refusal` is the answer, 401 or 403.
std::optional<Writer> writer_of(const Catalog& catalog, std::string_view authorization,
                                HttpResponse& refusal);

}  // namespace tailrace
