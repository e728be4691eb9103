/**
 * The page of a live view, while nothing draws it: it shows the counters, and the lines as they come.
 *
 * @module
 */

/** The page, with a place for its nonce. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>handshake, live</title>
<pre id="counters"></pre>
<pre id="lines"></pre>
<script nonce="{{nonce}}">
const shown = [];
new EventSource("events").onmessage = ({ data }) => {
  for (const text of data.split("\\n")) {
    const line = JSON.parse(text);
    if (line.type === "counters") {
      document.getElementById("counters").textContent = JSON.stringify(line.values, undefined, 1);
    } else shown.push(text);
  }
  shown.splice(0, shown.length - 40);
  document.getElementById("lines").textContent = shown.join("\\n");
};
</script>
</html>
`;
