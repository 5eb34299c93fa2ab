// Who is signed in.
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { ApiError, get, onSignedOut, post, remove } from "../api/client";
import type { Who } from "../api/types";

export interface Session {
  who?: Who; // none: not known yet
  error?: ApiError; // why it is not known
  ended: boolean; // somebody was signed in until an answer said otherwise
  signIn: (user: string, password: string) => Promise<void>; // throws ApiError
  signOut: () => Promise<void>;
  again: () => void;
}

export function useSession(): Session {
  const [state, setState] = useState<Pick<Session, "who" | "error" | "ended">>({ ended: false });
  const look = () =>
    get<Who>("/v3/login").then(
      (who) => setState((before) => ({ who, ended: who.user === null && (before.ended || !!before.who?.user) })),
      (error: ApiError) => setState((before) => (before.who ? before : { error, ended: false })),
    );
  useEffect(() => {
    onSignedOut(() => setState((before) => (before.who?.user ? { who: { ...before.who, user: null }, ended: true } : before)));
    void look();
    const timer = window.setInterval(() => document.hidden || look(), 30_000);
    return () => window.clearInterval(timer);
  }, []);
  return {
    ...state,
    signIn: async (user, password) => setState({ who: await post<Who>("/v3/login", { user, password }), ended: false }),
    signOut: async () => {
      await remove("/v3/login");
      setState({ ended: false }); // what was known is forgotten
      await look();
    },
    again: () => void look(),
  };
}

/** Of who is signed in: whether he may change things. */
export const mayManage = (who: Who) => who.permissions.includes("full_api");

export const WhoContext = createContext<Who>({ user: null, permissions: [], version: "", api_state: "normal" });
export const useWho = () => useContext(WhoContext);
