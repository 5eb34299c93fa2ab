// The page around the pages: who is signed in, where one is, and how to get elsewhere.
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "./api/client";
import { Channel } from "./channel/channel";
import { Help } from "./help";
import { Overview } from "./overview/overview";
import { linkTo, pathOf, useRoute, type Place } from "./route";
import { mayManage, useSession, WhoContext, type Session } from "./session/session";
import { SignIn } from "./session/sign_in";
import { System } from "./system/system";
import { focusSearch, useKeys } from "./ui/keys";
import { Empty, Failed, Loading } from "./ui/states";
import { applyTheme, theme, type Theme } from "./ui/theme";

const themes: Record<Theme, Theme> = { system: "dark", dark: "light", light: "system" };

function ThemeButton() {
  const [now, setNow] = useState(theme);
  const next = themes[now];
  return (
    <button
      type="button"
      class="plain"
      title={`Colours: ${now}. Click for ${next}.`}
      aria-label={`Colours: ${now}, change to ${next}`}
      onClick={() => {
        applyTheme(next);
        setNow(next);
      }}
    >
      <span aria-hidden="true">{{ system: "◐", light: "☀", dark: "☾" }[now]}</span>
    </button>
  );
}

function Header({ session, place, help }: { session: Session; place: Place; help: () => void }) {
  const who = session.who!;
  const [said, setSaid] = useState("");
  const current = (page: Place["page"]) => (place.page === page ? "page" : undefined);
  return (
    <header class="top">
      <a class="brand" href={linkTo({ page: "overview" })} aria-label="Tailrace, overview" aria-current={current("overview")}>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M5 11c4 0 4 4 8 4s4-4 8-4 4 4 6 4M5 20c4 0 4 4 8 4s4-4 8-4 4 4 6 4" />
        </svg>
        <span class="brand-name">Tailrace</span>
      </a>
      <nav aria-label="Pages">
        {mayManage(who) && (
          <a href={linkTo({ page: "system" })} aria-current={current("system")}>
            System
          </a>
        )}
      </nav>
      {who.api_state !== "normal" && <span class="badge warn">▲ API {who.api_state.replace("_", " ")}</span>}
      <span class="fill" />
      <ThemeButton />
      <button type="button" class="plain" aria-label="Keys" title="Keys (?)" onClick={help}>
        ?
      </button>
      <span class="who" title={who.permissions.join(" ")}>
        {who.user}
      </span>
      {said && <span class="badge bad" role="alert">Still logged in: {said}</span>}
      {who.by === "cookie" && (
        <button type="button" onClick={() => session.signOut().then(() => setSaid(""), (error: ApiError) => setSaid(error.message))}>
          Log out
        </button>
      )}
    </header>
  );
}

function Page({ place }: { place: Place }) {
  if (place.page === "overview") return <Overview />;
  if (place.page === "system") return <System />;
  if (place.page === "channel") return <Channel key={place.channel} channel={place.channel} tab={place.tab} />;
  return (
    <Empty title="There is no such page">
      <p>
        <a href={linkTo({ page: "overview" })}>To the overview</a>
      </p>
    </Empty>
  );
}

export function App() {
  const session = useSession();
  const { place } = useRoute();
  const [help, setHelp] = useState(false);
  const main = useRef<HTMLElement>(null);
  const signedIn = !!session.who?.user;

  useKeys({
    "/": focusSearch,
    "?": () => setHelp(signedIn),
    o: () => (location.hash = "#/"),
    1: () => place.page === "channel" && (location.hash = pathOf({ ...place, tab: "logs" })),
    2: () => place.page === "channel" && (location.hash = pathOf({ ...place, tab: "metrics" })),
    3: () => place.page === "channel" && (location.hash = pathOf({ ...place, tab: "drains" })),
  });
  const where = pathOf(place);
  useEffect(() => main.current?.scrollTo(0, 0), [where]);

  if (session.error)
    return (
      <main>
        <Failed error={session.error} again={session.again} />
      </main>
    );
  if (!session.who) return <Loading what="the console" />;
  if (!signedIn) return <SignIn session={session} />;
  return (
    <WhoContext.Provider value={session.who}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        To the content
      </a>
      <Header session={session} place={place} help={() => setHelp(true)} />
      <main id="main" ref={main} tabIndex={0}>
        <Page place={place} />
      </main>
      {help && <Help close={() => setHelp(false)} />}
    </WhoContext.Provider>
  );
}
