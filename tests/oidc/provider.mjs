// A real OpenID Connect provider for tests: node provider.mjs PORT APP_URL KID
// Signing in with any name: `lan` has the groups of a duty operator. A restart with another KID rotates its keys.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [port, app, kid] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const groups = { lan: ["truc-ban", "something-else"], boss: ["lanh-dao"] };

const provider = new Provider(issuer, {
  clients: [{
    client_id: "tram", client_secret: "a-secret-between-the-two", redirect_uris: [`${app}/auth/oidc/callback`],
    post_logout_redirect_uris: [`${app}/sign-in`], backchannel_logout_uri: `${app}/auth/oidc/back-channel-logout`,
    backchannel_logout_session_required: true, response_types: ["code"], grant_types: ["authorization_code"],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] },
  pkce: { required: () => true },
  claims: { openid: ["sub", "groups"], profile: ["name", "preferred_username"], email: ["email"] },
  cookies: { keys: ["only for tests"] },
  features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true }, devInteractions: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Người dùng ${id}`, preferred_username: id, email: `${id}@example.vn`, groups: groups[id] ?? [] }),
  }),
  // The application of the test listens on loopback, where the library's own fetch does not go.
  fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
});
provider.on("server_error", (_, error) => console.error("server_error", error));
provider.on("backchannel.error", (_, error) => console.error("backchannel.error", error));
provider.on("authorization.error", (_, error) => console.error("authorization.error", error.error_description ?? error));
provider.listen(Number(port), "localhost", () => console.log("listening"));
