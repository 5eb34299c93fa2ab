#pragma once
// A record made of its fields.

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "channels/record.h"

namespace tailrace {

class MadeRecord {
 public:
  explicit MadeRecord(std::string_view message, int pri = 13, std::string_view time = "2026-11-21T01:02:03Z",
                      std::string_view host = "host", std::string_view app = "app",
                      std::string_view procid = "web.1", std::string_view msgid = "-",
                      std::string_view sd = "-") {
    EntryHeader h;
    h.pri = uint8_t(pri);
    std::string text = "<" + std::to_string(pri) + ">1 ";
    const auto add = [&](std::string_view field) {
      const auto at = uint16_t(text.size());
      (text += field) += ' ';
      return at;
    };
    h.time_at = add(time), h.host_at = add(host), h.app_at = add(app), h.procid_at = add(procid);
    h.msgid_at = add(msgid), h.sd_at = add(sd);
    h.msg_at = uint32_t(text.size());
    text += message;
    h.text_size = uint32_t(text.size());
    words_.resize(entry_size(text.size()) / 8);
    std::memcpy(words_.data(), &h, sizeof h);
    std::memcpy(words_.data() + sizeof h / 8, text.data(), text.size());
  }
  Record record() const { return Record(reinterpret_cast<const std::byte*>(words_.data())); }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace tailrace
