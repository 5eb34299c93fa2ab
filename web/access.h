#pragma once
// Who may ask what on the admin listener.

#include <atomic>
#include <optional>
#include <string_view>

#include "channels/catalog.h"
#include "net/http.h"
#include "web/api_state.h"

namespace tailrace {

/// For every route: a changing request of a foreign origin (Origin, Sec-Fetch-Site) is 403, so that a page of
/// somebody else's cannot use a reader's credential.
HttpGate own_origin_gate();

/// Logplex's v3 answers have a `Request-Id`: the one that was sent, if it is of 1 to 128 visible characters,
/// else a new one.
HttpStamp request_id_stamp();

/// For the API's routes: 401 without a credential, 403 without full_api.
HttpGate full_api_gate(const Catalog& catalog);

/// For routes that read the channel `:c`: a credential that may. Else 401 or 403, whether or not there is
/// such a channel.
HttpGate channel_gate(const Catalog& catalog);

/// For routes whose request names a channel elsewhere than in its path, or none: a credential that may read
/// something. The handler asks may_read_channel() of each channel it shows.
HttpGate api_gate(const Catalog& catalog);

/// What the credential of the request may do; none: there is no such credential.
std::optional<Permissions> permissions_of(const Catalog& catalog, const HttpRequest& request);
/// Of a channel that is there or not.
bool may_read_channel(const Catalog& catalog, const HttpRequest& request, std::string_view channel_id);
/// The answer if it may not: the same for each channel, there or not.
HttpResponse may_not_read();

/// The gates of the API's routes, behind its state (docs/api.md): 503 as that has it, before anything else is
/// judged. The one place where the state is asked.
struct ApiGates {
  ApiGates(const Catalog& catalog, const std::atomic<ApiState>& state);

  HttpGate full_api;  // full_api_gate(); whatever is no GET is a change
  HttpGate channel;   // channel_gate(), to read
  HttpGate readers;   // api_gate(), to read: making a session is no change
};

/// For the scrape of the channel `:c`: one of its tokens (Basic `token:t.…` or Bearer), a credential that may
/// read it, or full_api. Else 401 for who is nobody, 403 for who is somebody else; neither tells whether the
/// channel is there.
HttpGate channel_scrape_gate(const Catalog& catalog);

}  // namespace tailrace
