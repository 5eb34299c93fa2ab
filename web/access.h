#pragma once
// Who may ask what on the admin listener.

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "channels/catalog.h"
#include "net/http.h"
#include "web/api_state.h"
#include "web/logins.h"

namespace tailrace {

/// For every route: a changing request of a foreign origin (Origin, Sec-Fetch-Site) is 403, so that a page of
/// somebody else's cannot use a reader's credential.
HttpGate own_origin_gate();

/// Logplex's v3 answers have a `Request-Id`: the one that was sent, if it is of 1 to 128 visible characters,
/// else a new one.
HttpStamp request_id_stamp();

/// Who asks: by Authorization, or, where there is none, by the cookie of somebody who has signed in.
/// Thread-safe.
class Access {
 public:
  /// The name of our cookie: `tailrace_session_PORT`, with the port that the browser asked, if it names one.
  /// Cookies know no ports, and two routers of one host would sign each other out.
  static std::string cookie_name(const HttpRequest& request);
  enum class By : uint8_t { basic, cookie };
  struct Who {
    std::string user;
    Permissions permissions;
    By by;
  };

  /// `admin` is the user whose credential cannot be removed. The rest outlives it.
  Access(const Catalog& catalog, Logins& logins, std::string admin)
      : catalog_(catalog), logins_(logins), admin_(std::move(admin)) {}

  /// None: nobody. A cookie that is used lasts on.
  std::optional<Who> who(const HttpRequest& request) const;

  struct Login {
    Who who;
    std::string cookie;  // its value, a secret
  };
  /// None: there is no such credential.
  std::optional<Login> sign_in(const std::string& user, std::string_view password) const;
  /// The cookies of this request open nothing any more.
  void sign_out(const HttpRequest& request) const;
  /// To be called when the catalog has removed a credential, before the answer says so: its logins end.
  void credential_removed(std::string_view id) const;

  const Catalog& catalog() const { return catalog_; }

 private:
  const Catalog& catalog_;
  Logins& logins_;
  const std::string admin_;
};

/// What an Authorization field says of Basic; none: it does not.
struct UserPassword {
  std::string user, password;
};
std::optional<UserPassword> basic_of(const HttpRequest& request);

/// Whether the request has a cookie of somebody who signed in, or who did once.
bool has_login_cookie(const HttpRequest& request);
/// Whether it says that a page of this host made it (Origin, Sec-Fetch-Site): what changes by cookie must
/// say.
bool names_own_origin(const HttpRequest& request);
/// 403, for one by cookie that does not.
HttpResponse names_no_origin();
/// 401. To a script of a page without WWW-Authenticate, since the browser would ask in a window of its own.
HttpResponse not_authorised(const HttpRequest& request);

/// For the API's routes: 401 for nobody, 403 without full_api.
HttpGate full_api_gate(const Access& access);

/// For routes that read the channel `:c`: a credential that may. Else 401 or 403, whether or not there is
/// such a channel.
HttpGate channel_gate(const Access& access);

/// For routes whose request names a channel elsewhere than in its path, or none: a credential that may read
/// something. The handler asks may_read_channel() of each channel it shows.
HttpGate api_gate(const Access& access);

/// What the credential of the request may do; none: there is no such credential.
std::optional<Permissions> permissions_of(const Access& access, const HttpRequest& request);
/// Of a channel that is there or not.
bool may_read_channel(const Access& access, const HttpRequest& request, std::string_view channel_id);
/// The answer if it may not: the same for each channel, there or not.
HttpResponse may_not_read();

/// The gates of the API's routes, behind its state (docs/api.md): 503 as that has it, before anything else is
/// judged. The one place where the state is asked.
struct ApiGates {
  ApiGates(const Access& access, const std::atomic<ApiState>& state);

  HttpGate full_api;  // full_api_gate(); whatever is no GET is a change
  HttpGate channel;   // channel_gate(), to read
  HttpGate readers;   // api_gate(), to read: making a session is no change
};

/// For the scrape of the channel `:c`: one of its tokens (Basic `token:t.…` or Bearer), or somebody who may
/// read it. Else 401 for who is nobody, 403 for who is somebody else; neither tells whether the channel is
/// there.
HttpGate channel_scrape_gate(const Access& access);

}  // namespace tailrace
