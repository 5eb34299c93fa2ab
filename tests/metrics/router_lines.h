#pragma once
// The MSG of real router lines, every era of them, with what they say.

#include <cstdint>

#include "metrics/lines/quantity.h"

namespace tailrace {

// clang-format off
struct KnownRouterLine {
  const char* message;
  uint16_t status;   // 0: none
  const char* code;  // "": none
  double connect, service, wait;  // seconds
  double queue, bytes;
  const char *dyno, *host, *request_id;
};

inline constexpr KnownRouterLine kRouterLines[] = {
    // Successes.
    {R"(GET node-chat2.herokuapp.com/send dyno=web.1 queue=0 wait=0ms service=2ms bytes=16)",
     0, "", kAbsent, 0.002, 0.0, 0, 16, "web.1", "", ""},
    {R"(GET myapp.com/pxl/4fdbc97dc6b36c0030001160?value=1 dyno=web.14 queue=0 wait=0ms service=8ms status=200 bytes=35)",
     200, "", kAbsent, 0.008, 0.0, 0, 35, "web.14", "", ""},
    {R"(at=info method=GET path=/api/v1/dependencies?gems=bones-rcov,bones-rubyforge,bones-rspec,bones-zentest,net-ssh,linecache host=bundler-api.herokuapp.com fwd=72.4.120.81 dyno=web.11 queue=0 wait=0ms connect=1ms service=11ms status=200 bytes=5613)",
     200, "", 0.001, 0.011, 0.0, 0, 5613, "web.11", "bundler-api.herokuapp.com", ""},
    {R"(at=info method=GET path=/articles/custom-domains host=mydemoapp.heroku.com fwd=74.58.173.188 dyno=web.1 queue=0 wait=0ms connect=0ms service=1452ms status=200 bytes=5783)",
     200, "", 0.0, 1.452, 0.0, 0, 5783, "web.1", "mydemoapp.heroku.com", ""},
    {R"(at=info method=GET path=/ host=my-cool-test.herokuapp.com request_id=755159ef5cfc715185a43e664d0be6c8 fwd="216.49.181.254, 204.9.229.1" dyno=web.1 queue=0 wait=0ms connect=1ms service=364ms status=200 bytes=20946)",
     200, "", 0.001, 0.364, 0.0, 0, 20946, "web.1", "my-cool-test.herokuapp.com", "755159ef5cfc715185a43e664d0be6c8"},
    {R"(at=info method=GET path=/ host=example-app-1234567890ab.herokuapp.com request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd="204.204.204.204" dyno=web.1 connect=1ms service=18ms status=200 bytes=13 tls_version=tls1.1 protocol=http)",
     200, "", 0.001, 0.018, kAbsent, kAbsent, 13, "web.1", "example-app-1234567890ab.herokuapp.com", "8601b555-6a83-4c12-8269-97c8e32cdb22"},
    {R"(at=info method=GET path=/check?metric=railgun.accepting:sum:max,railgun.running:sum:max&0 host=umpire.herokai.com request_id=1f3ed8a9-c80c-49de-a4af-2df9f4ddb858 fwd="46.20.45.18" dyno=web.14 connect=1ms service=849ms status=500 bytes=306)",
     500, "", 0.001, 0.849, kAbsent, kAbsent, 306, "web.14", "umpire.herokai.com", "1f3ed8a9-c80c-49de-a4af-2df9f4ddb858"},
    {R"(at=info method=POST path="/users" host=myapp.com request_id=c1806361-2081-42e7-a8aa-92b6808eac8e fwd="24.76.242.18" dyno=web.1 connect=1ms service=37ms status=201 bytes=828)",
     201, "", 0.001, 0.037, kAbsent, kAbsent, 828, "web.1", "myapp.com", "c1806361-2081-42e7-a8aa-92b6808eac8e"},
    {R"(at=info method=GET path="/admin/sidekiq_queue_stats" host=myapp.example request_id=f24c9831-e1af-4f71-83aa-dc00a0f236fc fwd="52.90.232.237,70.132.60.79" dyno=web.1 connect=0ms service=25ms status=200 bytes=1541 protocol=https)",
     200, "", 0.0, 0.025, kAbsent, kAbsent, 1541, "web.1", "myapp.example", "f24c9831-e1af-4f71-83aa-dc00a0f236fc"},
    {R"(at=info method=GET path="/cart_link" host=lumberjack-store.timber.io request_id=05726858-c44e-4f94-9a20-37df73be9006 fwd="73.75.38.87" dyno=web.1 connect=1ms service=22ms status=304 bytes=656 protocol=http)",
     304, "", 0.001, 0.022, kAbsent, kAbsent, 656, "web.1", "lumberjack-store.timber.io", "05726858-c44e-4f94-9a20-37df73be9006"},
    {R"(at=info method=GET path="/howold?dob=436504400000" host=acurate-age.herokuapp.com request_id=1d9989ee-8aae-4897-974f-bb5cee68df44 fwd="20.163.56.214" dyno=web.1 connect=0ms service=13ms status=400 bytes=394 protocol=https)",
     400, "", 0.0, 0.013, kAbsent, kAbsent, 394, "web.1", "acurate-age.herokuapp.com", "1d9989ee-8aae-4897-974f-bb5cee68df44"},
    {R"(at=info method=GET path="/" host=my-app.example.com request_id=6903a168-b79b-ec27-03c8-b8f64d8d8792 fwd=138.68.186.89 dyno=web.1 connect=0ms service=0ms status=200 bytes=0 protocol=http2.0 tls=true tls_version=tls1.3)",
     200, "", 0.0, 0.0, kAbsent, kAbsent, 0, "web.1", "my-app.example.com", "6903a168-b79b-ec27-03c8-b8f64d8d8792"},
    {R"(at=info method=GET path="/" host=www.123-bibel.de request_id=51d7b5ba-b65e-7a9f-b996-b55b2dd6028a fwd="84.183.36.173" dyno=web.1 connect=0ms service=49ms status=200 bytes=15225 protocol=http2.0 tls=true tls_version=tls1.3)",
     200, "", 0.0, 0.049, kAbsent, kAbsent, 15225, "web.1", "www.123-bibel.de", "51d7b5ba-b65e-7a9f-b996-b55b2dd6028a"},
    {R"(at=info method=GET path="/api/Schlachter 1951/books" host=www.123-bibel.de request_id=bf6476e1-ab1b-20f1-b4b8-dcb74b959e3d fwd="61.8.139.252" dyno=web.1 connect=0ms service=74ms status=200 bytes=2256 protocol=http2.0 tls=true tls_version=tls1.3)",
     200, "", 0.0, 0.074, kAbsent, kAbsent, 2256, "web.1", "www.123-bibel.de", "bf6476e1-ab1b-20f1-b4b8-dcb74b959e3d"},
    // Errors.
    {R"(Error H10 (App crashed) -> GET myapp.heroku.com/ web=web.1 queue=0 wait=0ms service=0ms bytes=0)",
     0, "H10", kAbsent, 0.0, 0.0, 0, 0, "web.1", "", ""},
    {R"(Error H12 (Request timeout) -> GET node-chat2.herokuapp.com/recv dyno=web.1 queue= wait= service=30000ms bytes=)",
     0, "H12", kAbsent, 30.0, kAbsent, kAbsent, kAbsent, "web.1", "", ""},
    {R"(Error H12 (Request timeout) -> GET myapp.com/crossdomain.xml dyno=web.4 queue= wait= service=30000ms status=503 bytes=0)",
     503, "H12", kAbsent, 30.0, kAbsent, kAbsent, 0, "web.4", "", ""},
    {R"(at=error code=H11 desc="Backlog too deep" method=GET path="/" host=myapp.herokuapp.com fwd=17.17.17.17 dyno= connect= service= status=503 bytes=)",
     503, "H11", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "myapp.herokuapp.com", ""},
    {R"(at=error code=H12 desc="Request timeout" method=GET path=/ host=example-app-1234567890ab.herokuapp.com request_id=8601b555-6a83-4c12-8269-97c8e32cdb22 fwd="204.204.204.204" dyno=web.1 connect= service=30000ms status=503 bytes=0 protocol=http)",
     503, "H12", kAbsent, 30.0, kAbsent, kAbsent, 0, "web.1", "example-app-1234567890ab.herokuapp.com", "8601b555-6a83-4c12-8269-97c8e32cdb22"},
    {R"(at=error code=H13 desc="Connection closed without response" method=GET path=/crash host=pgeof.herokuapp.com dyno=web.1 connect=1ms service=10ms status=503 bytes=0)",
     503, "H13", 0.001, 0.01, kAbsent, kAbsent, 0, "web.1", "pgeof.herokuapp.com", ""},
    {R"(at=error code=H10 desc="App crashed" method=GET path="/" host=flashforum.herokuapp.com request_id=56a2658d-1aed-48c0-be81-6f8fc0946dd9 fwd="54.82.54.5" dyno= connect= service= status=503 bytes=)",
     503, "H10", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "flashforum.herokuapp.com", "56a2658d-1aed-48c0-be81-6f8fc0946dd9"},
    {R"(at=error code=H14 desc="No web processes running" method=GET path="/region" host=tranquil-garden-84812.herokuapp.com request_id=40190aa2-4add-4bd5-99da-76ced51e9abf fwd="108.225.76.255" dyno= connect= service= status=503 bytes= protocol=http)",
     503, "H14", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "tranquil-garden-84812.herokuapp.com", "40190aa2-4add-4bd5-99da-76ced51e9abf"},
    {R"(at=error code=H15 desc="Idle connection" method=GET path="/" host=myapp.herokuapp.com fwd=17.17.17.17 dyno=web.1 connect=1ms service=55449ms status=503 bytes=18)",
     503, "H15", 0.001, 55.449, kAbsent, kAbsent, 18, "web.1", "myapp.herokuapp.com", ""},
    {R"(sock=backend at=error code=H18 desc="Server Request Interrupted" method=POST path="/api/v1/semantic_search_stream" host=class-chat-python-f081e08f29b8.herokuapp.com request_id=32703692-2362-4363-b46a-92c695c1d6b1 fwd="100.27.26.255" dyno=web.1 connect=0ms service=710ms status=200 bytes=0 protocol=http1.1 tls=true tls_version=unknown)",
     200, "H18", 0.0, 0.71, kAbsent, kAbsent, 0, "web.1", "class-chat-python-f081e08f29b8.herokuapp.com", "32703692-2362-4363-b46a-92c695c1d6b1"},
    {R"(sock=backend at=error code=H18 desc="Server Request Interrupted" method=POST path="/inc/md5.asp" host=www.nesta.org.uk request_id=32515736-2fd7-46bc-b722-78860110de1d fwd="240e:d9:c200:104:85c5::ec0,172.69.34.65" dyno=web.1 connect=0ms service=44ms status=503 bytes= protocol=https)",
     503, "H18", 0.0, 0.044, kAbsent, kAbsent, kAbsent, "web.1", "www.nesta.org.uk", "32515736-2fd7-46bc-b722-78860110de1d"},
    {R"(at=error code=H19 desc="Backend connection timeout" method=GET path="/" host=myapp.herokuapp.com fwd=17.17.17.17 dyno=web.1 connect=5001ms service= status=503 bytes=)",
     503, "H19", 5.001, kAbsent, kAbsent, kAbsent, kAbsent, "web.1", "myapp.herokuapp.com", ""},
    {R"(at=error code=H20 desc="App boot timeout" method=GET path="/" host=still-caverns-93130.herokuapp.com request_id=ce95bda9-1424-4cd9-acfb-c279add392df fwd="69.151.217.99" dyno= connect= service= status=503 bytes= protocol=https)",
     503, "H20", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "still-caverns-93130.herokuapp.com", "ce95bda9-1424-4cd9-acfb-c279add392df"},
    {R"(at=error code=H24 desc="Forced close" method=GET path="/" host=myapp.herokuapp.com fwd=17.17.17.17 dyno=web.1 connect=1ms service=80000ms status= bytes=18)",
     0, "H24", 0.001, 80.0, kAbsent, kAbsent, 18, "web.1", "myapp.herokuapp.com", ""},
    {R"(at=error code=H25 desc="HTTP restriction: invalid content length" method=GET path="/" host=myapp.herokuapp.com request_id=3f336f1a-9be3-4791-afe3-596a1f2a481f fwd="17.17.17.17" dyno=web.1 connect=0 service=1 status=502 bytes=537)",
     502, "H25", 0.0, 0.001, kAbsent, kAbsent, 537, "web.1", "myapp.herokuapp.com", "3f336f1a-9be3-4791-afe3-596a1f2a481f"},
    {R"(at=error code=H26 desc="Request Error" cause="unsupported expect header value" method=GET path="/" host=myapp.herokuapp.com request_id=3f336f1a-9be3-4791-afe3-596a1f2a481f fwd="17.17.17.17" dyno= connect= service= status=417 bytes=)",
     417, "H26", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "myapp.herokuapp.com", "3f336f1a-9be3-4791-afe3-596a1f2a481f"},
    {R"(sock=client at=warning code=H27 desc="Client Request Interrupted" method=GET path="/" host=bfghsdg.herokuapp.com request_id=546c7c39-039a-4487-b120-c46017e501b2 fwd="189.215.153.244" dyno=web.1 connect=1ms service=29043ms status=499 bytes= protocol=https)",
     499, "H27", 0.001, 29.043, kAbsent, kAbsent, kAbsent, "web.1", "bfghsdg.herokuapp.com", "546c7c39-039a-4487-b120-c46017e501b2"},
    {R"(at=warning code=H28 desc="Client Connection Idle" method=GET path="/" host=myapp.herokuapp.com fwd=17.17.17.17 dyno=web.1 connect=1ms service=55449ms status=499 bytes=18)",
     499, "H28", 0.001, 55.449, kAbsent, kAbsent, 18, "web.1", "myapp.herokuapp.com", ""},
    {R"(error code=H31 desc="Misdirected Request" method=GET path="/" host=[host.com] request_id=[guid] fwd="[IP]" dyno= connect= service= status=421 bytes= protocol=http agent="<agent>")",
     421, "H31", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "[host.com]", "[guid]"},
    {R"(at=info code=H80 desc="Maintenance mode" method=GET path="/" host=myapp.herokuapp.com fwd=17.17.17.17 dyno= connect= service= status=503 bytes=)",
     503, "H80", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "myapp.herokuapp.com", ""},
    {R"(at=error code=H99 desc="Platform error" method=GET path="/api/users/logged-user" host=atelierogre-staging.herokuapp.com request_id=cfcbede1-fc9e-4278-ac7c-7c5264b3e4ae fwd="37.167.224.186" dyno= connect= service= status=503 bytes= protocol=https)",
     503, "H99", kAbsent, kAbsent, kAbsent, kAbsent, kAbsent, "", "atelierogre-staging.herokuapp.com", "cfcbede1-fc9e-4278-ac7c-7c5264b3e4ae"},
};
// clang-format on

}  // namespace tailrace
