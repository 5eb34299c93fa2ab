#include "web/links.h"

#include <algorithm>

#include "base/hmac.h"
#include "base/text.h"
#include "base/varint.h"

namespace tailrace {
namespace {

constexpr char kVersion = 1;
constexpr size_t kMacBytes = 32;
constexpr Micros kSecond = 1'000'000;

void put_texts(std::string& out, const std::vector<std::string>& texts) {
  put_varint(out, texts.size());
  for (const std::string& text : texts) put_text(out, text);
}

bool take_copy(std::string_view& from, std::string& text) {
  std::string_view view;
  if (!take_text(from, view)) return false;
  text = view;
  return true;
}

bool take_texts(std::string_view& from, std::vector<std::string>& texts) {
  uint64_t count = 0;
  if (!take_varint(from, count) || count > from.size()) return false;
  texts.resize(count);
  return std::ranges::all_of(texts, [&](std::string& text) { return take_copy(from, text); });
}

std::string said_of(const Link& link) {
  std::string out(1, kVersion);
  put_varint(out, link.channel);
  put_text(out, link.channel_id);
  put_text(out, link.credential);
  put_varint(out, uint64_t(link.expires / kSecond));
  for (const std::string* text : {&link.time.from, &link.time.to, &link.time.step}) put_text(out, *text);
  put_texts(out, link.names);
  put_texts(out, link.sources);
  put_varint(out, link.show.size());
  for (const Figure figure : link.show) put_text(out, to_string(figure));
  return out;
}

std::optional<Link> read(std::string_view said) {
  Link link;
  uint64_t channel = 0, expires = 0;
  std::vector<std::string> show;
  if (!said.starts_with(kVersion)) return std::nullopt;
  said.remove_prefix(1);
  if (!take_varint(said, channel) || channel > UINT32_MAX || !take_copy(said, link.channel_id) ||
      !take_copy(said, link.credential) || !take_varint(said, expires) ||
      expires > uint64_t(INT64_MAX / kSecond) || !take_copy(said, link.time.from) ||
      !take_copy(said, link.time.to) || !take_copy(said, link.time.step) || !take_texts(said, link.names) ||
      !take_texts(said, link.sources) || !take_texts(said, show) || !said.empty())
    return std::nullopt;
  for (const std::string& name : show) {
    const auto figure = parse_figure(name);
    if (!figure) return std::nullopt;
    link.show.push_back(*figure);
  }
  link.channel = uint32_t(channel);
  link.expires = Micros(expires) * kSecond;
  return link;
}

// RFC 4648 section 5, without padding.
std::string to_url_text(std::string_view bytes) {
  std::string text = to_base64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::min(text.find('='), text.size()));
  return text;
}

std::optional<std::string> from_url_text(std::string_view text) {
  if (text.find_first_of("+/=") != text.npos) return std::nullopt;
  std::string padded(text);
  std::ranges::replace(padded, '-', '+');
  std::ranges::replace(padded, '_', '/');
  padded.append((4 - padded.size() % 4) % 4, '=');
  auto bytes = from_base64(padded);
  // Bits that mean nothing may be set in the last character.
  if (!bytes || to_url_text(*bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace

std::string Links::mac(std::string_view said, std::string_view password_hash) const {
  std::string all;
  put_text(all, said);
  put_text(all, password_hash);
  return hmac_sha256(key_, all);
}

std::optional<std::string> Links::sign(const Link& link, std::string_view password_hash) const {
  const std::string said = said_of(link);
  if (said.size() > kMostBytes) return std::nullopt;
  return to_url_text(said + mac(said, password_hash));
}

Links::Opened Links::open(std::string_view text, const HashOf& hash_of, Micros now) const {
  if (text.size() > 2 * (kMostBytes + kMacBytes)) return {};
  const auto bytes = from_url_text(text);
  if (!bytes || bytes->size() <= kMacBytes) return {};
  const std::string_view said = std::string_view(*bytes).substr(0, bytes->size() - kMacBytes);
  auto link = read(said);
  if (!link) return {};
  const auto hash = hash_of(link->credential);
  if (!hash || !equal_in_constant_time(std::string_view(*bytes).substr(said.size()), mac(said, *hash)))
    return {};
  return {now < link->expires ? Verdict::good : Verdict::over, std::move(*link)};
}

}  // namespace tailrace
