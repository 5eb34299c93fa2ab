#pragma once
// One reader of a channel, over as many connections and sessions as it takes.

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/api_client.h"
#include "cli/session_stream.h"
#include "cli/target.h"

namespace tailrace {

/// What a reader does with what it gets. Called on the thread of SessionReader::run.
class SessionSink {
 public:
  virtual ~SessionSink() = default;
  virtual void take(const SessionItem& item) = 0;
  /// What was taken goes out now. False: nothing more is wanted.
  virtual bool flush() = 0;
  /// Of the connection, for people.
  virtual void tell(const std::string& text) = 0;
};

/// Reads a session of the API and knows its place in it: where the connection breaks it goes on behind the
/// last record it handed on, and where the session is gone, a new one does. Used by one thread.
class SessionReader {
 public:
  struct Question {
    std::string channel;           // its id
    nlohmann::ordered_json terms;  // of docs/tails.md, without channel_id and tail
    bool follow = false;
    SessionStream::Form form = SessionStream::Form::lines;
  };
  SessionReader(const ApiTarget& target, Question question, SessionSink& sink);

  /// Ends with the history, or, if it follows, when the sink wants no more or nothing can come any more. A
  /// failure to begin is final; later ones are tried again: for ever if it follows, else a few times.
  ApiResult<void> run();

 private:
  enum class Ended : uint8_t { whole, enough };
  ApiResult<Ended> read();
  ApiResult<std::string> open();
  bool note(const SessionItem& item);
  bool may_pass(const ApiFailure& failure) const;

  Question question_;
  SessionSink& sink_;
  ApiClient api_;
  std::string url_;                 // empty: there is no session
  std::optional<uint64_t> number_;  // of the last record that was handed on, or passed over
  bool begun_ = false;              // an answer's head came
  bool broken_ = false;             // the connection broke, and no other has begun
  bool forbidden_ = false;          // the last item said that this channel may not be followed
  unsigned failures_ = 0;           // since a record came
};

}  // namespace tailrace
