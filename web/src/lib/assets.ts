// Pictures and sounds. In a notebook they travel with the widget; on the site
// each is a classic script that hands over its data URI, so that a page opened
// as a file can load it too.

const known = new Map<string, Promise<string>>();
const takers = new Map<string, (uri: string) => void>();

// Set while a classic script runs; null in a notebook's module.
const script =
  typeof document === "undefined"
    ? null
    : (document.currentScript as HTMLScriptElement | null);

declare global {
  var attnAsset: ((name: string, uri: string) => void) | undefined;
}

/** Load one asset of the site by name; asked twice, it is loaded once. */
export function siteAsset(name: string): Promise<string> {
  let promise = known.get(name);
  if (!promise) {
    promise = insert(name);
    known.set(name, promise);
    // After a failure the next attempt asks again.
    promise.catch(() => known.delete(name));
  }
  return promise;
}

function insert(name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`${name} could not be loaded`));
    if (!script || !/^[a-z]+\/\w[\w.-]*$/.test(name)) return fail();
    globalThis.attnAsset ??= (given, uri) => takers.get(given)?.(uri);
    takers.set(name, resolve);
    const tag = document.createElement("script");
    tag.src = new URL(`attn-assets/${name}.js`, script.src).href;
    // A script that handed nothing over fails as well; after `resolve` the
    // call changes nothing.
    tag.onload = tag.onerror = () => {
      fail();
      takers.delete(name);
      tag.remove();
    };
    document.head.append(tag);
  });
}

/** Wait until an element is in view, or nearly. */
export function inView(element: Element): Promise<void> {
  return new Promise((resolve) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        resolve();
      },
      { rootMargin: "300px" },
    );
    observer.observe(element);
  });
}
