#pragma once
// What the verbs that manage things through the API share: `drains add`, `channels rm`, `tokens list`.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/api_client.h"
#include "cli/command.h"

namespace tailrace {

/// One call of one verb, from its command line to its answer. Used by one thread.
class Verb {
 public:
  using Json = nlohmann::ordered_json;
  enum class Of : uint8_t {
    channel,       // a channel's: -a, or TAILRACE_APP
    said_channel,  // the same, but not by TAILRACE_APP: what is lost is lost by name
    everything,
  };
  Verb(std::string_view command, std::string_view verb, std::string_view summary, std::string_view examples,
       Of of = Of::channel);

  CLI::App& options() { return line_.options(); }
  const CommandLine& line() const { return line_; }
  /// The thing beside the channel that it is about, as DRAIN or TOKEN on the command line. `kind`: what
  /// failures call it, `a drain of this channel`.
  void takes(const char* metavar, std::string_view help, std::string_view kind, bool required = true);
  /// The channel stands behind the verb, or is -a's.
  void takes_channel();
  /// It asks before it does what cannot be undone, unless --yes was given.
  void asks();

  /// The exit code, if the command ends here.
  std::optional<int> begin(int argc, char** argv);
  /// Finds the server and the channel; to be called before any of the calls below.
  ApiResult<void> connect();
  /// The id of another channel, by its id or name.
  ApiResult<std::string> find(const std::string& app);
  /// False: somebody at a terminal did not say yes. Without a terminal nobody is asked.
  bool may(const std::string& question) const;

  ApiResult<Json> get(const std::string& path);
  ApiResult<Json> post(const std::string& path, const Json& body = Json::object());
  ApiResult<Json> put(const std::string& path, const Json& body);
  ApiResult<Json> remove(const std::string& path);
  /// All pages of a list: the elements of `key`, each an object.
  ApiResult<Json> list(const std::string& path, const char* key);

  const std::string& app() const { return app_; }          // as it was said
  const std::string& url() const { return server_; }       // of the server, without a credential
  const std::string& channel() const { return channel_; }  // its id
  const std::string& thing() const { return thing_; }
  /// `/v3/channels/7` and what follows.
  std::string path(const std::string& rest = {}) const;
  /// `-a shop`, to be pasted into a shell.
  std::string app_flag() const;

  /// Says what failed. A thing that is not there is named.
  int failed(ApiFailure failure) const;
  /// The answer, as JSON or in these words.
  int say(const Json& json, const std::string& words, Exit code = exit_ok) const;
  bool json() const { return output_ == "json"; }

 private:
  ApiResult<Json> read(const ApiResult<ApiAnswer>& answer) const;

  const std::string command_;
  const Of of_;
  CommandLine line_;
  std::string app_, output_ = "text", url_, auth_, thing_, kind_, channel_, server_;
  bool yes_ = false;
  std::optional<ApiClient> api_;
};

/// A text or a number of an object as text that cannot drive a terminal; empty for anything else.
std::string json_text(const nlohmann::ordered_json& object, const char* key);

}  // namespace tailrace
