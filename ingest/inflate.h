#pragma once
// Compressed bodies: gzip and zstd, bounded.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;
struct ZSTD_DCtx_s;

namespace tailrace {

inline constexpr size_t kMaxInflated = 16 << 20;  // contract section 3

/// Log text packs 5 to 30 times, a bomb 1,000 times and more. Small bodies of equal lines may pack better
/// than kMaxInflateRatio, hence the bound is off below kFreeInflated.
inline constexpr size_t kMaxInflateRatio = 250;
inline constexpr size_t kFreeInflated = 4 << 20;

/// What a zstd frame may ask for; RFC 8878 section 3.1.1.1.2 recommends that decoders take 8 MiB.
inline constexpr int kMaxZstdWindowLog = 23;

/// Inflates one body that is whole, in slices, so that a loop can serve others in between. Owned by one
/// thread at a time. Holds, besides the output, 40 KiB for gzip and 9 MiB at most for zstd.
class Inflater {
 public:
  enum class Encoding { gzip, zstd };
  /// `gzip`, `x-gzip`, `zstd`, case ignored; none for anything else.
  static std::optional<Encoding> encoding(std::string_view content_encoding);

  /// `body` must live as long. Throws std::bad_alloc.
  Inflater(Encoding encoding, std::string_view body);
  ~Inflater();

  enum class Step {
    more,       // call again
    done,       // the body is whole and right
    broken,     // it is not what it says, or something follows the last member
    truncated,  // it ends early
    too_large,  // beyond kMaxInflated or kMaxInflateRatio
  };
  /// Appends at most `slice` bytes to `out` (64 KiB if it is less), and reads about as many at most. The
  /// outcome does not depend on the slices. Anything but `more` is final.
  Step step(size_t slice, std::string& out);

 private:
  struct CloseZlib {
    void operator()(z_stream_s* stream) const;
  };
  struct CloseZstd {
    void operator()(ZSTD_DCtx_s* stream) const;
  };
  Step gzip(char* to, size_t room);
  Step zstd(char* to, size_t room);

  std::string_view rest_;  // of the body
  size_t read_ = 0, written_ = 0;
  bool between_ = true;  // before a member or frame
  bool any_ = false;     // a member or frame is complete
  std::unique_ptr<z_stream_s, CloseZlib> zlib_;
  std::unique_ptr<ZSTD_DCtx_s, CloseZstd> zstd_;
};

}  // namespace tailrace
