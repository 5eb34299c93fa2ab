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

/// For the scrape of the channel `:c`: one of its tokens (Basic `token:t.…` or Bearer), a credential that may
/// read it, or full_api. Else 401 for who is nobody, 403 for who is somebody else; neither tells whether the
/// channel is there.
HttpGate channel_scrape_gate(const Catalog& catalog);

}  // namespace tailrace
