#pragma once
// Who may ask what on the admin listener.

#include "channels/catalog.h"
#include "net/http.h"

namespace tailrace {

/// For every route: a changing request of a foreign origin (Origin, Sec-Fetch-Site) is 403, so that a page of
/// somebody else's cannot use a reader's credential.
HttpGate own_origin_gate();

/// For the API's routes: 401 without a credential, 403 without full_api.
HttpGate full_api_gate(const Catalog& catalog);

}  // namespace tailrace
