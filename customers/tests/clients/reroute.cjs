/**
 * Preloaded into the official CLI by NODE_OPTIONS: what it asks of *.clientele.localhost goes to
 * the service at BASE_URL; whatever else it asks for fails.
 */
const { fetch } = globalThis;

globalThis.fetch = async (input, options) => {
  const url = new URL(input);
  if (url.protocol !== "https:" || !url.hostname.endsWith(".clientele.localhost")) {
    throw new Error(`${url.origin} is not the service.`);
  }
  return fetch(new URL(url.pathname + url.search, process.env.BASE_URL), options);
};
