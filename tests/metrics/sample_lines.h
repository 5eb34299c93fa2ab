#pragma once
// The MSG of real lines with `sample#` pairs, of dynos and add-ons, with what they say.

#include <vector>

namespace tailrace {

// clang-format off
struct KnownSample {
  const char* name;
  double value;
  const char* unit;
};

struct KnownSampleLine {
  const char* message;
  const char* source;
  std::vector<KnownSample> samples;
};

inline const std::vector<KnownSampleLine> kSampleLines = {
    // Runtime metrics of dynos.
    {R"(source=web.1 dyno=heroku.2808254.d97d0ea7-cf3d-411b-b453-d2943a50b456 sample#load_avg_1m=2.46 sample#load_avg_5m=1.06 sample#load_avg_15m=0.99)",
     "web.1", {
      {"load_avg_1m", 2.46, ""}, {"load_avg_5m", 1.06, ""}, {"load_avg_15m", 0.99, ""}}},
    {R"(source=web.1 dyno=heroku.2808254.d97d0ea7-cf3d-411b-b453-d2943a50b456 sample#memory_total=21.00MB sample#memory_rss=21.22MB sample#memory_cache=0.00MB sample#memory_swap=0.00MB sample#memory_pgpgin=348836pages sample#memory_pgpgout=343403pages)",
     "web.1", {
      {"memory_total", 22020096, "bytes"}, {"memory_rss", 22250782.72, "bytes"}, {"memory_cache", 0, "bytes"},
      {"memory_swap", 0, "bytes"}, {"memory_pgpgin", 348836, "pages"}, {"memory_pgpgout", 343403, "pages"}}},
    {R"(source=run.6221 sample#load_avg_1m=1.36)",
     "run.6221", {
      {"load_avg_1m", 1.36, ""}}},
    {R"(source=run.6221 sample#memory_total=627.97MB sample#memory_rss=481.32MB sample#memory_cache=7.44MB sample#memory_swap=139.21MB sample#memory_pgpgin=208632pages sample#memory_pgpgout=83508pages)",
     "run.6221", {
      {"memory_total", 658474270.72, "bytes"}, {"memory_rss", 504700600.32, "bytes"},
      {"memory_cache", 7801405.44, "bytes"}, {"memory_swap", 145972264.96, "bytes"},
      {"memory_pgpgin", 208632, "pages"}, {"memory_pgpgout", 83508, "pages"}}},
    {R"(source=web.1 dyno=heroku.35930502.b9de5fce-44b7-4287-99a7-504519070cba sample#load_avg_1m=0.01 sample#load_avg_5m=0.02 sample#load_avg_15m=0.03)",
     "web.1", {
      {"load_avg_1m", 0.01, ""}, {"load_avg_5m", 0.02, ""}, {"load_avg_15m", 0.03, ""}}},
    {R"(source=web.1 dyno=heroku.49170529.b313ea93-6d23-470c-af62-2e7bf7acd76d sample#load_avg_1m=0.00 sample#load_avg_5m=0.08 sample#load_avg_15m=0.20)",
     "web.1", {
      {"load_avg_1m", 0, ""}, {"load_avg_5m", 0.08, ""}, {"load_avg_15m", 0.2, ""}}},
    {R"(source=web.1 dyno=heroku.54241834.4b88c98d-6243-4194-af49-8db9b53be371 sample#memory_total=154.85MB sample#memory_rss=139.79MB sample#memory_cache=3.63MB sample#memory_swap=11.43MB sample#memory_pgpgin=80522pages sample#memory_pgpgout=53004pages sample#memory_quota=512.00MB)",
     "web.1", {
      {"memory_total", 162371993.6, "bytes"}, {"memory_rss", 146580439.04, "bytes"},
      {"memory_cache", 3806330.88, "bytes"}, {"memory_swap", 11985223.68, "bytes"},
      {"memory_pgpgin", 80522, "pages"}, {"memory_pgpgout", 53004, "pages"},
      {"memory_quota", 536870912, "bytes"}}},
    {R"(source=web.2 dyno=heroku.32934028.9646d93e-977a-421a-a5ef-02adc583e5b5 sample#memory_total=247.22MB sample#memory_rss=204.91MB sample#memory_cache=41.48MB sample#memory_swap=0.82MB sample#memory_pgpgin=2377742pages sample#memory_pgpgout=2339192pages sample#memory_quota=1024.00MB)",
     "web.2", {
      {"memory_total", 259228958.72, "bytes"}, {"memory_rss", 214863708.16, "bytes"},
      {"memory_cache", 43494932.48, "bytes"}, {"memory_swap", 859832.32, "bytes"},
      {"memory_pgpgin", 2377742, "pages"}, {"memory_pgpgout", 2339192, "pages"},
      {"memory_quota", 1073741824, "bytes"}}},
    {R"(source=web.4 dyno=heroku.18186867.69773a68-35f0-4cc3-aa48-e956a04c2c8b sample#memory_total=7020.55MB sample#memory_rss=7013.48MB sample#memory_cache=7.08MB sample#memory_swap=0.00MB sample#memory_pgpgin=1949515pages sample#memory_pgpgout=779250pages sample#memory_quota=14336.00MB)",
     "web.4", {
      {"memory_total", 7361580236.8, "bytes"}, {"memory_rss", 7354166804.48, "bytes"},
      {"memory_cache", 7423918.08, "bytes"}, {"memory_swap", 0, "bytes"}, {"memory_pgpgin", 1949515, "pages"},
      {"memory_pgpgout", 779250, "pages"}, {"memory_quota", 15032385536, "bytes"}}},
    {R"(source=web.1 dyno=heroku.15253441.a85b9e33-817d-479d-8bd9-d6c7d368b94e sample#memory_total=7.11MB sample#memory_rss=1.07MB sample#memory_cache=6.04MB sample#memory_swap=0.00MB sample#memory_pgpgin=1978pages sample#memory_pgpgout=158pages sample#memory_quota=512.00MB)",
     "web.1", {
      {"memory_total", 7455375.36, "bytes"}, {"memory_rss", 1121976.32, "bytes"},
      {"memory_cache", 6333399.04, "bytes"}, {"memory_swap", 0, "bytes"}, {"memory_pgpgin", 1978, "pages"},
      {"memory_pgpgout", 158, "pages"}, {"memory_quota", 536870912, "bytes"}}},
    {R"(source=web.1 dyno=heroku.322071457.63c5abfd-838b-4e2d-bce1-ce46de280675 sample#memory_total=180.43MB sample#memory_rss=180.05MB sample#memory_cache=0.38MB sample#memory_swap=0.00MB sample#memory_pgpgin=84329pages sample#memory_pgpgout=38140pages sample#memory_quota=512.00MB)",
     "web.1", {
      {"memory_total", 189194567.68, "bytes"}, {"memory_rss", 188796108.8, "bytes"},
      {"memory_cache", 398458.88, "bytes"}, {"memory_swap", 0, "bytes"}, {"memory_pgpgin", 84329, "pages"},
      {"memory_pgpgout", 38140, "pages"}, {"memory_quota", 536870912, "bytes"}}},
    {R"(source=web.1 dyno=heroku.319324155.67cc34d0-0440-4106-97b6-d9486f7d9009 sample#load_avg_1m=0.00 sample#load_avg_5m=0.00 sample#load_avg_15m=0.01)",
     "web.1", {
      {"load_avg_1m", 0, ""}, {"load_avg_5m", 0, ""}, {"load_avg_15m", 0.01, ""}}},
    {R"(source=run.2660 dyno=heroku.222222222.cff8130b-c3ef-4c0c-9569-78e988c85342 sample#memory_total=481.50MB sample#memory_rss=0.66MB sample#memory_cache=480.83MB sample#memory_swap=0.00MB sample#memory_pgpgin=3893pages sample#memory_pgpgout=1500pages sample#memory_quota=512.00MB)",
     "run.2660", {
      {"memory_total", 504889344, "bytes"}, {"memory_rss", 692060.16, "bytes"},
      {"memory_cache", 504186798.08, "bytes"}, {"memory_swap", 0, "bytes"}, {"memory_pgpgin", 3893, "pages"},
      {"memory_pgpgout", 1500, "pages"}, {"memory_quota", 536870912, "bytes"}}},
    // Postgres.
    {R"(source=HEROKU_POSTGRESQL_VIOLET sample#current_transaction=1873 sample#db_size=26219348792bytes sample#tables=13 sample#active-connections=92 sample#waiting-connections=1 sample#index-cache-hit-rate=0.99723 sample#table-cache-hit-rate=0.99118 sample#load-avg-1m=1.42 sample#load-avg-5m=1.45 sample#load-avg-15m=1.34 sample#read-iops=0 sample#write-iops=2.875 sample#memory-total=1692568kB sample#memory-free=73876kB sample#memory-cached=1344128kB sample#memory-postgres=22388kB)",
     "HEROKU_POSTGRESQL_VIOLET", {
      {"current_transaction", 1873, ""}, {"db_size", 26219348792, "bytes"}, {"tables", 13, ""},
      {"active-connections", 92, ""}, {"waiting-connections", 1, ""}, {"index-cache-hit-rate", 0.99723, ""},
      {"table-cache-hit-rate", 0.99118, ""}, {"load-avg-1m", 1.42, ""}, {"load-avg-5m", 1.45, ""},
      {"load-avg-15m", 1.34, ""}, {"read-iops", 0, ""}, {"write-iops", 2.875, ""},
      {"memory-total", 1733189632, "bytes"}, {"memory-free", 75649024, "bytes"},
      {"memory-cached", 1376387072, "bytes"}, {"memory-postgres", 22925312, "bytes"}}},
    {R"(source=DATABASE sample#current_transaction=15365 sample#db_size=4347350804bytes sample#tables=43 sample#active-connections=6 sample#waiting-connections=0 sample#index-cache-hit-rate=0.97116 sample#table-cache-hit-rate=0.73958 sample#load-avg-1m=0.05 sample#load-avg-5m=0.03 sample#load-avg-15m=0.035 sample#read-iops=0 sample#write-iops=112.73 sample#memory-total=15405636.0kB sample#memory-free=214004kB sample#memory-cached=14392920.0kB sample#memory-postgres=181644kB)",
     "DATABASE", {
      {"current_transaction", 15365, ""}, {"db_size", 4347350804, "bytes"}, {"tables", 43, ""},
      {"active-connections", 6, ""}, {"waiting-connections", 0, ""}, {"index-cache-hit-rate", 0.97116, ""},
      {"table-cache-hit-rate", 0.73958, ""}, {"load-avg-1m", 0.05, ""}, {"load-avg-5m", 0.03, ""},
      {"load-avg-15m", 0.035, ""}, {"read-iops", 0, ""}, {"write-iops", 112.73, ""},
      {"memory-total", 15775371264, "bytes"}, {"memory-free", 219140096, "bytes"},
      {"memory-cached", 14738350080, "bytes"}, {"memory-postgres", 186003456, "bytes"}}},
    {R"(source=DATABASE sample#current_transaction=48441 sample#db_size=247529644.0bytes sample#tables=28 sample#active-connections=3 sample#waiting-connections=0 sample#index-cache-hit-rate=0.99991 sample#table-cache-hit-rate=0.99994 sample#load-avg-1m=0.055 sample#load-avg-5m=0.035 sample#load-avg-15m=0.025 sample#read-iops=0 sample#write-iops=0.29701 sample#memory-total=3786332.0kB sample#memory-free=531500kB sample#memory-cached=2685020.0kB sample#memory-postgres=52128kB)",
     "DATABASE", {
      {"current_transaction", 48441, ""}, {"db_size", 247529644, "bytes"}, {"tables", 28, ""},
      {"active-connections", 3, ""}, {"waiting-connections", 0, ""}, {"index-cache-hit-rate", 0.99991, ""},
      {"table-cache-hit-rate", 0.99994, ""}, {"load-avg-1m", 0.055, ""}, {"load-avg-5m", 0.035, ""},
      {"load-avg-15m", 0.025, ""}, {"read-iops", 0, ""}, {"write-iops", 0.29701, ""},
      {"memory-total", 3877203968, "bytes"}, {"memory-free", 544256000, "bytes"},
      {"memory-cached", 2749460480, "bytes"}, {"memory-postgres", 53379072, "bytes"}}},
    {R"(source=HEROKU_POSTGRESQL_ONYX sample#current_transaction=153674642 sample#db_size=53666224664bytes sample#tables=105 sample#active-connections=20 sample#waiting-connections=0 sample#index-cache-hit-rate=0.99832 sample#table-cache-hit-rate=0.9657 sample#load-avg-1m=0.01 sample#load-avg-5m=0.045 sample#load-avg-15m=0.025 sample#read-iops=0.58264 sample#write-iops=3.8988 sample#memory-total=8173656kB sample#memory-free=1124196kB sample#memory-cached=5935596kB sample#memory-postgres=111996kB)",
     "HEROKU_POSTGRESQL_ONYX", {
      {"current_transaction", 153674642, ""}, {"db_size", 53666224664, "bytes"}, {"tables", 105, ""},
      {"active-connections", 20, ""}, {"waiting-connections", 0, ""}, {"index-cache-hit-rate", 0.99832, ""},
      {"table-cache-hit-rate", 0.9657, ""}, {"load-avg-1m", 0.01, ""}, {"load-avg-5m", 0.045, ""},
      {"load-avg-15m", 0.025, ""}, {"read-iops", 0.58264, ""}, {"write-iops", 3.8988, ""},
      {"memory-total", 8369823744, "bytes"}, {"memory-free", 1151176704, "bytes"},
      {"memory-cached", 6078050304, "bytes"}, {"memory-postgres", 114683904, "bytes"}}},
    {R"(source=HEROKU_POSTGRESQL_COPPER addon=postgresql-lively-20360 sample#current_transaction=802374110 sample#db_size=113931017351bytes sample#tables=67 sample#active-connections=36 sample#waiting-connections=0 sample#index-cache-hit-rate=0.98938 sample#table-cache-hit-rate=0.87102 sample#load-avg-1m=0.345 sample#load-avg-5m=0.41 sample#load-avg-15m=0.465 sample#read-iops=63.213 sample#write-iops=17.393 sample#tmp-disk-used=33849344 sample#tmp-disk-available=72944943104 sample#memory-total=15657108kB sample#memory-free=96208kB sample#memory-cached=14631188kB sample#memory-postgres=299560kB)",
     "HEROKU_POSTGRESQL_COPPER", {
      {"current_transaction", 802374110, ""}, {"db_size", 113931017351, "bytes"}, {"tables", 67, ""},
      {"active-connections", 36, ""}, {"waiting-connections", 0, ""}, {"index-cache-hit-rate", 0.98938, ""},
      {"table-cache-hit-rate", 0.87102, ""}, {"load-avg-1m", 0.345, ""}, {"load-avg-5m", 0.41, ""},
      {"load-avg-15m", 0.465, ""}, {"read-iops", 63.213, ""}, {"write-iops", 17.393, ""},
      {"tmp-disk-used", 33849344, ""}, {"tmp-disk-available", 72944943104, ""},
      {"memory-total", 16032878592, "bytes"}, {"memory-free", 98516992, "bytes"},
      {"memory-cached", 14982336512, "bytes"}, {"memory-postgres", 306749440, "bytes"}}},
    {R"(addon=postgresql-contoured-12345 sample#current_transaction=11618856301 sample#db_size=147391888519bytes sample#tables=67 sample#active-connections=25 sample#waiting-connections=0 sample#index-cache-hit-rate=0.9993 sample#table-cache-hit-rate=0.99643 sample#load-avg-1m=0.345 sample#load-avg-5m=0.23 sample#load-avg-15m=0.205 sample#read-iops=0.15929 sample#write-iops=371.27 sample#tmp-disk-used=543600640 sample#tmp-disk-available=72435191808 sample#memory-total=16085844kB sample#memory-free=243400kB sample#memory-cached=14718708kB sample#memory-postgres=187144kB sample#follower-lag-commits=10441 sample#wal-percentage-used=0.0801535074510631)",
     "", {
      {"current_transaction", 11618856301, ""}, {"db_size", 147391888519, "bytes"}, {"tables", 67, ""},
      {"active-connections", 25, ""}, {"waiting-connections", 0, ""}, {"index-cache-hit-rate", 0.9993, ""},
      {"table-cache-hit-rate", 0.99643, ""}, {"load-avg-1m", 0.345, ""}, {"load-avg-5m", 0.23, ""},
      {"load-avg-15m", 0.205, ""}, {"read-iops", 0.15929, ""}, {"write-iops", 371.27, ""},
      {"tmp-disk-used", 543600640, ""}, {"tmp-disk-available", 72435191808, ""},
      {"memory-total", 16471904256, "bytes"}, {"memory-free", 249241600, "bytes"},
      {"memory-cached", 15071956992, "bytes"}, {"memory-postgres", 191635456, "bytes"},
      {"follower-lag-commits", 10441, ""}, {"wal-percentage-used", 0.0801535074510631, ""}}},
    {R"(source=DATABASE addon=postgresql-curly-12345 sample#current_transaction=1873 sample#db_size=26219348792bytes sample#db-size-percentage-used=0.02767 sample#tables=13 sample#active-connections=92 sample#waiting-connections=1 sample#max-connections=200 sample#connections-percentage-used=0.46 sample#index-cache-hit-rate=0.99723 sample#table-cache-hit-rate=0.99118 sample#load-avg-1m=0.39 sample#load-avg-5m=0.325 sample#load-avg-15m=0.3 sample#read-iops=0 sample#write-iops=112.73 sample#max-iops=3000 sample#iops-percentage-used=0.03758 sample#tmp-disk-used=543600640 sample#tmp-disk-available=72435191808 sample#memory-total=4045060kB sample#memory-free=159696kB sample#memory-percentage-used=0.96052 sample#memory-cached=3707032kB sample#memory-postgres=182592kB)",
     "DATABASE", {
      {"current_transaction", 1873, ""}, {"db_size", 26219348792, "bytes"},
      {"db-size-percentage-used", 0.02767, ""}, {"tables", 13, ""}, {"active-connections", 92, ""},
      {"waiting-connections", 1, ""}, {"max-connections", 200, ""}, {"connections-percentage-used", 0.46, ""},
      {"index-cache-hit-rate", 0.99723, ""}, {"table-cache-hit-rate", 0.99118, ""}, {"load-avg-1m", 0.39, ""},
      {"load-avg-5m", 0.325, ""}, {"load-avg-15m", 0.3, ""}, {"read-iops", 0, ""}, {"write-iops", 112.73, ""},
      {"max-iops", 3000, ""}, {"iops-percentage-used", 0.03758, ""}, {"tmp-disk-used", 543600640, ""},
      {"tmp-disk-available", 72435191808, ""}, {"memory-total", 4142141440, "bytes"},
      {"memory-free", 163528704, "bytes"}, {"memory-percentage-used", 0.96052, ""},
      {"memory-cached", 3796000768, "bytes"}, {"memory-postgres", 186974208, "bytes"}}},
    // PgBouncer.
    {R"(source=pgbouncer addon=postgresql-contoured-12345 sample#client_active=56 sample#client_waiting=0 sample#server_active=0 sample#server_idle=16 sample#max_wait=0 sample#avg_query=8751 sample#avg_recv=37568 sample#avg_sent=1339005)",
     "pgbouncer", {
      {"client_active", 56, ""}, {"client_waiting", 0, ""}, {"server_active", 0, ""}, {"server_idle", 16, ""},
      {"max_wait", 0, ""}, {"avg_query", 8751, ""}, {"avg_recv", 37568, ""}, {"avg_sent", 1339005, ""}}},
    // Redis.
    {R"(source=REDIS sample#active-connections=1 sample#load-avg-1m=0.165 sample#load-avg-5m=0.11 sample#load-avg-15m=0.095 sample#read-iops=0 sample#write-iops=0 sample#memory-total=15664332.0kB sample#memory-free=12331548.0kB sample#memory-cached=1262536.0kB sample#memory-redis=278024bytes sample#hit-rate=1 sample#evicted-keys=0)",
     "REDIS", {
      {"active-connections", 1, ""}, {"load-avg-1m", 0.165, ""}, {"load-avg-5m", 0.11, ""},
      {"load-avg-15m", 0.095, ""}, {"read-iops", 0, ""}, {"write-iops", 0, ""},
      {"memory-total", 16040275968, "bytes"}, {"memory-free", 12627505152, "bytes"},
      {"memory-cached", 1292836864, "bytes"}, {"memory-redis", 278024, "bytes"}, {"hit-rate", 1, ""},
      {"evicted-keys", 0, ""}}},
    {R"(source=HEROKU_REDIS_WHITE sample#active-connections=1 sample#load-avg-1m=0.04 sample#load-avg-5m=0.09 sample#load-avg-15m=0.085 sample#read-iops=0 sample#write-iops=0 sample#memory-total=15664360kB sample#memory-free=9891092kB sample#memory-cached=3415688kB sample#memory-redis=1757408bytes sample#hit-rate=1 sample#evicted-keys=0)",
     "HEROKU_REDIS_WHITE", {
      {"active-connections", 1, ""}, {"load-avg-1m", 0.04, ""}, {"load-avg-5m", 0.09, ""},
      {"load-avg-15m", 0.085, ""}, {"read-iops", 0, ""}, {"write-iops", 0, ""},
      {"memory-total", 16040304640, "bytes"}, {"memory-free", 10128478208, "bytes"},
      {"memory-cached", 3497664512, "bytes"}, {"memory-redis", 1757408, "bytes"}, {"hit-rate", 1, ""},
      {"evicted-keys", 0, ""}}},
    {R"(source=REDIS addon=redis-metric-98068 sample#active-connections=404 sample#load-avg-1m=0.115 sample#load-avg-5m=0.075 sample#load-avg-15m=0.07 sample#read-iops=0 sample#write-iops=54.758 sample#memory-total=15405660kB sample#memory-free=12639520kB sample#memory-cached=1911724kB sample#memory-redis=343477584bytes sample#hit-rate=0.7 sample#evicted-keys=0)",
     "REDIS", {
      {"active-connections", 404, ""}, {"load-avg-1m", 0.115, ""}, {"load-avg-5m", 0.075, ""},
      {"load-avg-15m", 0.07, ""}, {"read-iops", 0, ""}, {"write-iops", 54.758, ""},
      {"memory-total", 15775395840, "bytes"}, {"memory-free", 12942868480, "bytes"},
      {"memory-cached", 1957605376, "bytes"}, {"memory-redis", 343477584, "bytes"}, {"hit-rate", 0.7, ""},
      {"evicted-keys", 0, ""}}},
    {R"(source=REDIS addon=redis-rugged-24473 sample#active-connections=4 sample#max-connections=18 sample#connection-percentage-used=0.22222 sample#load-avg-1m=1.51 sample#load-avg-5m=1.09 sample#load-avg-15m=1.135 sample#read-iops=0 sample#write-iops=0 sample#max-iops=3000 sample#iops-percentage-used=0.00000 sample#memory-total=16167800kB sample#memory-free=10693340kB sample#memory-percentage-used=0.33860 sample#memory-cached=979072kB sample#memory-redis=5116080bytes sample#hit-rate=0.0013079 sample#evicted-keys=0)",
     "REDIS", {
      {"active-connections", 4, ""}, {"max-connections", 18, ""}, {"connection-percentage-used", 0.22222, ""},
      {"load-avg-1m", 1.51, ""}, {"load-avg-5m", 1.09, ""}, {"load-avg-15m", 1.135, ""}, {"read-iops", 0, ""},
      {"write-iops", 0, ""}, {"max-iops", 3000, ""}, {"iops-percentage-used", 0, ""},
      {"memory-total", 16555827200, "bytes"}, {"memory-free", 10949980160, "bytes"},
      {"memory-percentage-used", 0.3386, ""}, {"memory-cached", 1002569728, "bytes"},
      {"memory-redis", 5116080, "bytes"}, {"hit-rate", 0.0013079, ""}, {"evicted-keys", 0, ""}}},
};
// clang-format on

}  // namespace tailrace
