/**
 * The live page as one text. It is built from the files beside it by `deno task page`: do not edit it.
 *
 * @module
 */

/** The page. {{nonce}} stands wherever the nonce of an answer's Content-Security-Policy goes. */
export const LIVE_PAGE: string = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="referrer" content="no-referrer">
    <title>Handshake, live</title>
    <style nonce="{{nonce}}">
    :root {
  color-scheme: light dark;
}

* {
  box-sizing: border-box;
}

body {
  margin: 0 auto;
  max-width: 84rem;
  padding: 1.5rem 1.25rem 3rem;
  background: light-dark(#eef1f5, #0e1116);
  color: var(--figure-text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}

[hidden] {
  display: none !important;
}

h1,
h2,
h3,
p,
dl,
dd,
figure {
  margin: 0;
}

h1 {
  font-size: 1.6rem;
  line-height: 1.2;
  letter-spacing: -0.015em;
  overflow-wrap: anywhere;
}

h2 {
  font-size: 1.0625rem;
  letter-spacing: -0.005em;
}

header {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.5rem 1.5rem;
  margin-bottom: 1.25rem;
}

.faint {
  color: var(--figure-faint);
  font-size: 0.9rem;
  overflow-wrap: anywhere;
}

main {
  display: grid;
  grid-template-columns: minmax(0, 1fr);
  gap: 1rem;
}

#state {
  padding: 0.3rem 0.9rem;
  border: 1px solid var(--figure-line);
  border-radius: 2rem;
  background: var(--figure-ground);
  font-size: 0.9rem;
}

#state::before {
  content: "";
  display: inline-block;
  width: 0.6em;
  height: 0.6em;
  margin-right: 0.5em;
  border-radius: 50%;
  background: var(--figure-faint);
}

#state[data-state="live"]::before {
  background: var(--figure-computing);
}

#state[data-state="lost"]::before {
  background: var(--figure-rst);
}

#actions,
#counted,
.chart {
  padding: 1rem;
  border: 1px solid var(--figure-line);
  border-radius: 14px;
  background: var(--figure-ground);
}

#buttons {
  display: flex;
  flex-wrap: wrap;
  gap: 0.5rem;
  margin-top: 0.6rem;
}

button {
  min-height: 2.5rem;
  border: 1px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-box);
  color: inherit;
  padding: 0.3rem 0.9rem;
  font: inherit;
  font-size: 0.9375rem;
  cursor: pointer;
}

button:hover:not(:disabled) {
  border-color: var(--figure-accent);
}

button:disabled {
  color: var(--figure-faint);
  cursor: default;
}

:focus-visible {
  outline: 2px solid var(--figure-accent);
  outline-offset: 2px;
}

#answer {
  min-height: 1.5em;
  margin-top: 0.5rem;
}

#charts {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
  gap: 1rem;
}

.chart {
  color: var(--figure-accent);
}

.chart h3 {
  color: var(--figure-faint);
  font-size: 0.875rem;
  font-weight: 600;
}

.chart .value {
  color: var(--figure-text);
  font-size: 1.0625rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}

.plot {
  position: relative;
  margin-top: 0.5rem;
}

.plot canvas {
  display: block;
  width: 100%;
  height: 72px;
  border: 0 solid var(--figure-line);
}

.plot .top {
  position: absolute;
  top: 2px;
  left: 0;
  padding: 0 0.3em 0 0;
  color: var(--figure-faint);
  font-size: 0.75rem;
  line-height: 1.3;
}

#counters {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr));
  gap: 0.6rem 1rem;
  margin-top: 0.6rem;
}

#counters dt {
  color: var(--figure-faint);
  font-size: 0.8125rem;
}

#counters dd {
  font-size: 1.125rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere;
}

@media (max-width: 480px) {
  body {
    padding: 1rem 0.75rem 2rem;
  }
}

    </style>
  </head>
  <body>
    <header>
      <div>
        <h1 id="name">Handshake</h1>
        <p id="about" class="faint">live view of a running server</p>
      </div>
      <p id="state" role="status">connecting …</p>
    </header>
    <main>
      <noscript><p>This page draws with JavaScript. Without it, <code>curl -N</code> on
<code>events</code> beside this page shows the same as text.</p></noscript>
      <section id="actions" aria-labelledby="actions-title" hidden>
        <h2 id="actions-title">Do something real</h2>
        <div id="buttons"></div>
        <p id="answer" class="faint" role="status"></p>
      </section>
      <model-figure id="figure" data-title="Who is where"></model-figure>
      <section id="charts" aria-label="The last minute"></section>
      <section id="counted" aria-labelledby="counted-title">
        <h2 id="counted-title">What the server counts</h2>
        <dl id="counters"></dl>
      </section>
    </main>
    <script nonce="{{nonce}}">
    "use strict";(()=>{var ft=[["µs",1],["ms",1e3],["s",1e6]],Ie=[["",1],["k",1e3],["M",1e6],["G",1e9]],mt=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Oe="–",le=3;function x(r){return B(r,ft)}var Ce=[["min",60],["h",3600]];function $e(r){if(ce(r))return Oe;if(r>0&&r<1){let[t,n]=Ce.find(([,s])=>r*s>=1)??Ce[1],o=r*n,i=Math.round(o);return\`\${Math.abs(o-i)<.001&&i>0?i:De(o)} /\${t}\`}let e=B(r,Ie);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function E(r){return B(r,Ie)}function Re(r){return B(ce(r)?r:Math.round(r),mt)}function Ne(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function ce(r){return r===null||Number.isNaN(r)}function B(r,e){if(ce(r))return Oe;for(let[t,[n,o]]of e.entries()){let i=o===1&&Number.isInteger(r)?String(r):De(r/o),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(i)*o>=s))return n===""?i:\`\${i} \${n}\`}return String(r)}function De(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,le-e));return Number(t)>=10**e&&e<le?r.toFixed(le-e-1):t}var T=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],Pe=new Map(T.map(({look:r,shape:e})=>[r,e]));function $({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return pt[e];case"closing":return"ended";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var pt={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},gt={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},C=\`:host, :root {
\${Object.entries(gt).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${T.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var W=globalThis.HTMLElement??class{};function h(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,o]of Object.entries(e.attributes??{}))t.setAttribute(n,o);return t.append(...e.children??[]),t}function y(r,e){r.textContent!==e&&(r.textContent=e)}var Ae=new Map;function R(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ae.get(t);if(n!==void 0)return n;let o=new CSSStyleSheet;return o.replaceSync(t),Ae.set(t,o),o})}function z(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function K(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function ue(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var He=6e7,yt=[[],[5,3]],he=72,I=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=h("p",{class:"value",text:"–"}),this.#i=h("span",{class:"top"}),this.#n=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("figure",{class:"chart",children:[h("figcaption",{children:[h("h3",{text:e.title}),this.#e]}),h("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:o,least:i,unit:s=1}=this.#t,a=e.filter(({at:u})=>u>t-He&&u<=t),d=a.at(-1),l=n.map(({name:u,of:m})=>{let p=d===void 0?void 0:m(d),b=p===void 0?"not known":o(p);return u===""?b:\`\${u} \${b}\`});y(this.#e,l.join(" · "));let c=a.flatMap(u=>n.map(({of:m})=>m(u)??0)),f=bt(Math.max(i,...c)/s)*s;y(this.#i,o(f)),this.#r(a,t,f)}#r(e,t,n){let{width:o}=this.#n.getBoundingClientRect(),i=Math.min(2,devicePixelRatio),[s,a]=[Math.round(o*i),Math.round(he*i)];(this.#n.width!==s||this.#n.height!==a)&&(this.#n.width=s,this.#n.height=a);let d=this.#n.getContext("2d");if(d===null)return;let l=getComputedStyle(this.#n);d.setTransform(i,0,0,i,0,0),d.clearRect(0,0,o,he);let c=u=>(1-(t-u)/He)*o,f=u=>1+(1-u/n)*(he-2);d.strokeStyle=l.borderBottomColor,d.lineWidth=1;for(let u of[0,1])d.beginPath(),d.moveTo(0,f(u*n)),d.lineTo(o,f(u*n)),d.stroke();d.strokeStyle=l.color,d.lineWidth=1.75,d.lineJoin="round";for(let[u,{of:m}]of this.#t.series.entries()){d.setLineDash([...yt[u]??[]]),d.beginPath();let p=!1;for(let b of e){let w=m(b);if(w===void 0){p=!1;continue}p?d.lineTo(c(b.at),f(w)):d.moveTo(c(b.at),f(w)),p=!0}d.stroke()}d.setLineDash([])}};function bt(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var vt={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function G(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let o=xt(n);o===void 0?t++:e.push(o)}return{lines:e,damaged:t}}function xt(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(vt[t.type]??["at"]).every(o=>Number.isFinite(t[o])))&&!(t.type==="recording"&&t.version!==1))return e}function Y(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var N=class{#t;async load(e,t,n){this.stop();let{signal:o}=this.#t=new AbortController;try{let i=await fetch(e,{signal:o});if(!i.ok)throw new Error(\`the answer is \${i.status}\`);let{lines:s}=G(await i.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(i){if(o.aborted)return;n(\`Cannot show \${e}: \${i instanceof Error?i.message:String(i)}\`)}}stop(){this.#t?.abort()}};var Q=\`
:host {
  display: block;
  color: var(--figure-text);
  font-size: 0.9375rem;
  line-height: 1.45;
}
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
h2, h3, h4, p, ul, figure { margin: 0; padding: 0; }
h2 { font-size: 1.0625em; font-weight: 650; letter-spacing: -0.005em; }
h3 { font-size: 0.875em; font-weight: 650; }
h4 { font-size: 0.8125em; font-weight: 600; }
.frame {
  border: 1px solid var(--figure-line);
  border-radius: 14px;
  background: var(--figure-ground);
  padding: 1rem;
}
.head {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  align-items: baseline;
  gap: 0.1rem 1rem;
  margin-bottom: 0.75rem;
}
.sub, .who, .others, .what, .note { color: var(--figure-faint); font-size: 0.8125em; }
.controls {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.5rem;
  margin-top: 0.75rem;
}
button, select, input {
  font: inherit;
  color: inherit;
}
button, select, input[type="number"] {
  min-height: 2.25rem;
  border: 1px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-box);
  padding: 0.2rem 0.7rem;
}
button { cursor: pointer; white-space: nowrap; }
button:hover:not(:disabled) { border-color: var(--figure-accent); }
button:disabled { color: var(--figure-faint); cursor: default; }
button.main {
  border-color: var(--figure-accent);
  background: var(--figure-accent);
  color: var(--figure-ground);
  font-weight: 600;
  min-width: 5.5rem;
}
button.small { min-width: 2.25rem; padding: 0.2rem; }
:focus-visible { outline: 2px solid var(--figure-accent); outline-offset: 2px; }
input[type="range"] { accent-color: var(--figure-accent); min-width: 0; height: 2.25rem; margin: 0; }
input[type="number"] { width: 7rem; }
label { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend {
  display: flex;
  flex-wrap: wrap;
  gap: 0.15rem 1rem;
  margin-top: 0.75rem;
  list-style: none;
  font-size: 0.8125em;
  color: var(--figure-faint);
}
.legend li { display: inline-flex; align-items: center; gap: 0.4rem; }
.legend .words { color: var(--figure-faint); }
details { margin-top: 0.75rem; font-size: 0.875em; }
summary { cursor: pointer; color: var(--figure-faint); padding: 0.25rem 0; }
.scroll { overflow: auto; max-height: 22rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--figure-faint); padding: 0.25rem 0; }
th, td {
  text-align: left;
  vertical-align: top;
  padding: 0.3rem 0.75rem 0.3rem 0;
  border-bottom: 1px solid var(--figure-line);
  overflow-wrap: anywhere;
}
th { font-weight: 600; }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
\`,_e=\`
.sign {
  flex: none;
  display: inline-block;
  width: 12px;
  height: 12px;
  border: 3px solid currentColor;
  border-radius: 50%;
}
.sign.disc { background: currentColor; }
.sign.cross {
  border: 0;
  border-radius: 0;
  background:
    linear-gradient(45deg, transparent 42%, currentColor 42% 58%, transparent 58%),
    linear-gradient(-45deg, transparent 42%, currentColor 42% 58%, transparent 58%);
}
\`,Fe=\`
.stage { position: relative; container-type: inline-size; }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; cursor: pointer; }
.partial canvas { opacity: 0.25; }
.flow { display: grid; gap: 0.6rem; grid-template-columns: minmax(0, 1fr); }
.flow.with-handover { grid-template-columns: repeat(2, minmax(0, 1fr)); }
.flow > .threads, .flow > .ends { grid-column: 1 / -1; }
.box {
  display: flex;
  flex-direction: column;
  min-width: 0;
  border-radius: 10px;
  background: var(--figure-box);
  padding: 0.6rem 0.7rem;
}
.well { flex: 1; min-height: 3.25rem; margin-top: 0.4rem; }
.count { font-variant-numeric: tabular-nums; font-weight: 600; font-size: 0.9375em; }
.accept .count, .handover .count { font-size: 1.25em; line-height: 1.3; }
.whom { min-height: 1.45em; }
.dense .whom, .end .whom { display: none; }
.gauge {
  height: 4px;
  margin-top: 0.3rem;
  border-radius: 2px;
  background: var(--figure-line);
  overflow: hidden;
}
.gauge .fill { height: 100%; width: 0; background: var(--figure-accept); }
.cards {
  display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 10.5rem), 1fr));
  gap: 0.5rem;
  margin-top: 0.4rem;
  align-content: start;
}
.cards.one { grid-template-columns: minmax(0, 1fr); }
.card {
  display: flex;
  flex-direction: column;
  min-width: 0;
  border: 1px solid var(--figure-line);
  border-left: 4px solid var(--figure-line);
  border-radius: 8px;
  background: var(--figure-well);
  padding: 0.4rem 0.55rem;
}
.card .what { min-height: 2.9em; max-height: 2.9em; overflow: hidden; overflow-wrap: anywhere; }
.cards.one .card .what { min-height: 1.45em; }
.card .well { min-height: 2.25rem; margin-top: 0.2rem; }
.card.loop { grid-row: span 3; }
.card.loop .well { min-height: 12rem; }
.cards.one .card.loop .well { min-height: 17rem; }
.card[data-state="computing"] { border-left-color: var(--figure-computing); }
.card[data-state="computing"] .what { color: var(--figure-computing); font-weight: 600; }
.card[data-state="writing"] { border-left-color: var(--figure-writing); }
.card[data-state="reading"] { border-left-color: var(--figure-reading); }
.dense { grid-column: 1 / -1; padding: 0; background: none; }
.dense .well { min-height: 12rem; }
.others { margin-top: 0.5rem; }
.ends { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 0.6rem; }
.ends .box { padding: 0.5rem 0.6rem; }
.ends .well { min-height: 2.25rem; }
.end .who { min-height: 0; }
.end.rst .count { color: var(--figure-rst); }
@container (min-width: 720px) {
  .flow { grid-template-columns: 8.5rem minmax(0, 1fr) 7.5rem; }
  .flow.with-handover { grid-template-columns: 8.5rem 8.5rem minmax(0, 1fr) 7.5rem; }
  .flow > .threads, .flow > .ends { grid-column: auto; }
  .flow > .accept .well, .flow > .handover .well { min-height: 13rem; }
  .ends { grid-auto-flow: row; grid-auto-rows: 1fr; }
}
\`,qe=\`
.time { display: flex; flex: 1 1 12rem; align-items: center; gap: 0.6rem; min-width: 0; }
.time input { flex: 1; }
.time output {
  min-width: 9.5em;
  text-align: right;
  font-variant-numeric: tabular-nums;
  font-size: 0.875em;
  color: var(--figure-faint);
}
.speed { display: inline-flex; align-items: center; gap: 0.3rem; font-variant-numeric: tabular-nums; }
.speed output { min-width: 3.6em; text-align: center; }
.now { min-height: 1.5em; margin-top: 0.6rem; font-size: 0.9375em; overflow-wrap: anywhere; }
.followed {
  margin-top: 0.75rem;
  border-left: 4px solid var(--figure-accent);
  padding: 0.2rem 0 0.2rem 0.75rem;
  font-size: 0.875em;
}
.followed ol { margin: 0.3rem 0 0; padding: 0; list-style: none; max-height: 14rem; overflow: auto; }
.followed li { display: flex; gap: 0.75rem; padding: 0.1rem 0; color: var(--figure-faint); }
.followed li.past { color: inherit; }
.followed time { flex: none; min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 480px) {
  .frame { padding: 0.75rem; border-radius: 12px; }
  .time { flex-basis: 100%; }
  .time output { min-width: 0; }
}
\`;var fe={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function me(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let o of r)if(o.type==="socket"&&o.waiting===!0)e.has(o.remote)||e.set(o.remote,o.at);else if(o.type==="begun"){let{connection:i,peer:s,at:a}=o;t.set(i,{peer:s,fromUs:e.get(s)??a,toUs:n}),e.delete(s)}else if(o.type==="over"){let i=t.get(o.connection);i!==void 0&&(i.toUs=o.at)}return[...t.values()].sort((o,i)=>o.fromUs-i.fromUs)}var Et=["computing","queue","accept","thread"],Mt=["queue","accept","thread"],Tt=1e3;function pe(r,e){let t=e.map(n=>kt(r,n));return e.map((n,o)=>{let i=t[o],a=t.filter(p=>p!==i).filter(({thread:p})=>p===i.thread),d={accept:[[n.fromUs,i.begunUs]],queue:[[i.begunUs,i.servedUs]],thread:[...a.flatMap(({busy:p})=>p),...i.awaiting],computing:i.computing,talk:[]},l=St(n,d),c=l.filter(({doing:p})=>Mt.includes(p)),f=t.map(p=>{if(p===i)return 0;let b=a.includes(p)?p.holds:[],w=i.awaiting.flatMap(U=>Ve(U,p.computing)),g=[...b,...w];return Lt(c.flatMap(({fromUs:U,toUs:se})=>Ve([U,se],g)))}),u=Math.max(...f),m=u>=Tt;return{stretches:l,waitedUs:m?u:0,waitedFor:m?f.indexOf(u):void 0}})}function kt(r,e){let t=r.find(p=>p.type==="begun"&&p.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,o=r.filter(p=>"connection"in p&&p.connection===n),i=o.find(p=>p.type==="served"),s=o.find(p=>p.type==="over"),a=i?.type==="served"?i.thread:void 0,d=o.filter(p=>p.type==="span"),l=p=>d.filter(b=>b.name===p).map(({at:b,to:w})=>[b,w]),c=r.some(p=>p.type==="thread"&&p.thread===a&&p.loop===!0),f=t?.at??e.toUs,u=i?.at??f,m=c?l("turn"):[];return{begunUs:f,servedUs:u,thread:a,computing:l("computing"),awaiting:l("waiting for computing"),busy:m,holds:c?m:[[u,s?.at??e.toUs]]}}function St({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),o=[...new Set([r,...n,e])].sort((s,a)=>s-a),i=[];for(let s=1;s<o.length;s++){let[a,d]=[o[s-1],o[s]],l=(a+d)/2,c=Et.find(u=>t[u].some(([m,p])=>m<=l&&l<p))??"talk",f=i.at(-1);f?.doing===c?i[i.length-1]={...f,toUs:d}:i.push({doing:c,fromUs:a,toUs:d})}return i}function Ve([r,e],t){return t.map(([n,o])=>[Math.max(n,r),Math.min(o,e)]).filter(([n,o])=>n<o)}function Lt(r){let[e,t]=[0,-1/0];for(let[n,o]of r.toSorted(([i],[s])=>i-s))e+=Math.max(0,o-Math.max(n,t)),t=Math.max(t,o);return e}var Ut=24,Ct=5,Be={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},It=\`
.rows { list-style: none; display: grid; gap: 0.7rem; }
.client { display: grid; grid-template-columns: minmax(5.5rem, 9rem) minmax(0, 1fr) 5rem; gap: 0 0.75rem; align-items: center; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.length { text-align: right; font-variant-numeric: tabular-nums; }
.waited { grid-column: 2 / -1; color: var(--figure-faint); font-size: 0.8125em; min-height: 1.45em; }
.bar { position: relative; height: 1.25rem; border-radius: 4px; background: var(--figure-box); overflow: hidden; }
.part { position: absolute; inset-block: 0; min-width: 1px; background: currentColor; }
.part.wait { background: repeating-linear-gradient(-45deg, currentColor 0 4px, transparent 4px 7px); }
.part.talk { inset-block: 40%; }
.told { position: absolute; inset-block: 0; width: 3px; margin-left: -1px; background: var(--figure-text); }
.scale {
  position: relative;
  height: 1.4em;
  margin: 0.3rem 5.75rem 0 0;
  color: var(--figure-faint);
  font-size: 0.75em;
  font-variant-numeric: tabular-nums;
}
.scale span { position: absolute; white-space: nowrap; transform: translateX(-50%); }
.scale span:first-child { transform: none; }
.rows-and-scale { container-type: inline-size; }
.scale { margin-left: calc(min(9rem, max(5.5rem, 9rem)) + 0.75rem); }
.legend .swatch { position: relative; width: 1.5rem; height: 0.8em; border-radius: 2px; overflow: hidden; }
@container (max-width: 480px) {
  .client { grid-template-columns: minmax(0, 1fr) auto; }
  .name { grid-row: 1; }
  .length { grid-row: 1; grid-column: 2; }
  .bar, .waited { grid-column: 1 / -1; }
  .scale { margin-inline: 0; }
}
\`,j=class extends W{static observedAttributes=["src","data-title","names"];#t=[];#e;#i=[];#n;#r;#c=new N;get lines(){return this.#t}set lines(e){this.#t=e,this.#o()}get visits(){return this.#e}set visits(e){this.#e=e,this.#o()}get names(){return this.#i}set names(e){this.#i=e,this.#o()}connectedCallback(){this.#r===void 0&&this.#s(),this.#o()}disconnectedCallback(){this.#c.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#u(n),e==="names"&&(this.names=K(n)),e==="data-title"&&this.#o()}async#u(e){await this.#c.load(e,t=>this.lines=t,t=>this.#r?.replaceChildren(h("p",{class:"note",text:t})))}#s(){let e=this.attachShadow({mode:"open"});R(e,C,Q,It),this.#n=h("h2"),this.#r=h("div",{class:"rows-and-scale"}),e.append(h("div",{class:"frame",attributes:{role:"group","aria-label":"Who waited for whom"},children:[h("div",{class:"head",children:[this.#n]}),this.#r,Dt()]}))}#o(){if(this.#r===void 0||this.#n===void 0)return;let e=this.getAttribute("data-title")??"";y(this.#n,e),this.#n.parentElement.hidden=e==="";let t=Y(this.#t).filter(m=>m.type!=="recording"),n=this.#e??me(t);if(n.length===0){this.#t.length>0&&this.#r.replaceChildren(h("p",{class:"note",text:"No client has come."}));return}let o=n.slice(0,Ut),i=pe(t,o),s=Math.min(...o.map(({fromUs:m})=>m)),a=Math.max(s+1,...o.map(({toUs:m})=>m)),d=m=>this.#i[m]??\`client \${m+1}\`,l=t.find(({type:m})=>m==="closing")?.at??1/0,c=l<a?l:void 0,f=o.map((m,p)=>Ot(m,i[p],{name:d,index:p,fromUs:s,lengthUs:a-s,toldUs:c})),u=[h("ul",{class:"rows",children:f}),Rt(a-s)];if(c!==void 0){let m=\`The upright line is when the server was told to close, after \${x(c-s)}.\`;u.push(h("p",{class:"note",text:m}))}if(n.length>o.length){let m=\`\${n.length-o.length} more clients are not drawn.\`;u.push(h("p",{class:"note",text:m}))}this.#r.replaceChildren(...u)}};function Ot({fromUs:r,toUs:e},t,n){let o=h("span",{class:"told"});o.hidden=n.toldUs===void 0,o.style.left=\`\${((n.toldUs??0)-n.fromUs)/n.lengthUs*100}%\`;let i=h("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...t.stretches.map(s=>{let a=h("span",{class:We(s.doing)});return a.style.left=\`\${(s.fromUs-n.fromUs)/n.lengthUs*100}%\`,a.style.width=\`\${(s.toUs-s.fromUs)/n.lengthUs*100}%\`,a.title=\`\${fe[s.doing]}: \${x(s.toUs-s.fromUs)}\`,a}),o]});return h("li",{class:"client",children:[h("span",{class:"name",text:n.name(n.index)}),i,h("span",{class:"length",text:x(e-r)}),h("span",{class:"waited",text:$t(t,n.name)})]})}function $t({stretches:r,waitedFor:e,waitedUs:t},n){let o=r.reduce((a,{doing:d,fromUs:l,toUs:c})=>a+(d==="computing"?c-l:0),0),i=o>=1?\`the server computed \${x(o)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${x(t)} for \${n(e)}\`,i].filter(a=>a!=="").join("; ")}function We(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${Be[r]}\`}function Rt(r){let e=r/Ct,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(i=>i*t).find(i=>i>=e)??e,o=[];for(let i=0;i<=r;i+=n){let s=h("span",{text:i===0?"0":Nt(i)});s.style.left=\`\${i/r*100}%\`,o.push(s)}return h("div",{class:"scale",attributes:{"aria-hidden":"true"},children:o})}function Nt(r){return x(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function Dt(){return h("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(Be).map(r=>h("li",{children:[h("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[Pt(r)]}),h("span",{class:"words",text:fe[r]})]}))})}function Pt(r){let e=h("span",{class:We(r)});return e.style.left="0",e.style.width="100%",e}z("client-timeline",j);function ze(){let r=(u,m,p="")=>h("button",{class:p,text:u,attributes:{type:"button",...m!==void 0&&{"aria-label":m,title:m}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),o=r("+","Faster (+)","small"),i=h("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),a=r("Step ▸","Step on to what happens next (.)"),d=h("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),l=h("output"),c=h("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:h("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,a,h("span",{class:"speed",children:[n,i,o]}),h("span",{class:"time",children:[d,l]}),h("label",{children:[h("span",{text:"Follow #"}),c]})]}),play:e,live:t,slower:n,faster:o,speed:i,back:s,step:a,time:d,moment:l,follow:c}}function Ke(){return h("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:T.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>h("li",{children:[h("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),h("span",{class:"words",text:t})]}))})}var Ge=100;function ge({place:r,thread:e},{threads:t}){return r!=="thread"?r:t.find(({number:n})=>n===e)?.name??"a thread"}function ye(r,e){let t=T.find(({look:s})=>s===$(r))?.words??r.doing,{task:n,waitsFor:o}=r,i=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${i}\${o===void 0?"":\`, for \${e(o)}\`}\`}var X=class{root;#t;#e=h("tbody");#i=h("tbody");constructor(e,t){this.#t=e;let n=["Where","Connections","What happens there"],o=["Connection","From","Where","What it does","Since"];this.root=h("details",{children:[h("summary",{text:"The same as a table"}),h("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[Ye("Where connections are",n,this.#e),Ye("Connections",o,this.#i)]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;Qe(this.#e,this.#n(e).slice(0,Ge));let{dots:t,us:n}=e,o=t.slice(0,Ge).map(s=>[s.connection===void 0?"not accepted yet":this.#t(s.connection),s.peer,ge(s,e),ye(s,this.#t),x(Math.max(0,n-s.sinceUs))]),i=t.length-o.length;Qe(this.#i,i>0?[...o,[\`and \${i} more\`,"","","",""]]:o)}#n(e){let{dots:t,threads:n,listeners:o,hasHandOver:i,queued:s,totals:a}=e,d=f=>t.filter(u=>u.place===f).length,l=o.map(({waiting:f,limit:u})=>\`\${f??"?"} of \${u??"?"}\`),c=["Hand-over queue",String(d("hand-over queue")),\`counted: \${s??"?"}\`];return[["Accept queue",l.join(", ")||"not known",\`\${d("accept queue")} seen there\`],...i?[c]:[],...n.filter(({kind:f})=>f!=="other").map(f=>[f.name,String(f.dots.length),this.#r(f,e)]),...Object.entries(a.endings).map(([f,u])=>[\`Ended: \${f}\`,String(u),"since the picture began"])]}#r({activity:e,isLoop:t,turns:n},{us:o}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:i,task:s,connection:a,sinceUs:d}=e,l=a===void 0?"":\` for \${this.#t(a)}\`,c=x(Math.max(0,o-d));return\`\${i}\${s===void 0?"":\` \${s}\`}\${l}, \${c}\`}};function Ye(r,e,t){let n=e.map(o=>h("th",{text:o,attributes:{scope:"col"}}));return h("table",{children:[h("caption",{text:r}),h("thead",{children:[h("tr",{children:n})]}),t]})}function Qe(r,e){r.replaceChildren(...e.map(t=>h("tr",{children:t.map(n=>h("td",{text:n}))})))}var D=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],J=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?D.find(n=>n>this.speed):D.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},At=3e5,Ht=1e-4,_=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*Ht;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-At}};function F(r,e,t){let[n,o]=[0,r.length];for(;n<o;){let i=n+o>>1;e(r[i])<=t?n=i+1:o=i}return n}function be(r,e,t){let n=e(t),o=r.length;for(;o>0&&e(r[o-1])>n;)o--;return o===r.length?r.push(t):r.splice(o,0,t),o}var P=({at:r})=>r,je=r=>r,k=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=be(this.#e,P,e),n=t-1,o=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,o);for(let i=t;i<this.#e.length;i++)this.#i[i]=o,o+=this.#t(this.#e[i])}find(e){let t=this.#e[F(this.#e,P,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[F(this.#e,P,e)-1]}weightAt(e){let t=F(this.#e,P,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:i})=>i>=e),n=t<0?this.#e.length:t;if(n===0)return;let o=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(o),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},S=class{#t=[];add(e,t){be(this.#t,P,{at:e,value:t})}get all(){return this.#t}countAt(e){return F(this.#t,P,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},A=class{#t=[];#e=0;add(e){be(this.#t,je,e)}countAt(e){return this.#e+F(this.#t,je,e)}forget(e){let t=this.#t.findIndex(o=>o>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};var Z=class{number;name;isLoop=!1;presence=new S;computing=new k;writing=new k;turns=new k(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return q("computing",t);if(n!==void 0)return q("writing",n);let{open:o}=this;if(o!==void 0&&o.at<=e&&e<o.to){if(o.what==="computing"||o.what==="writing")return q(o.what,o);if(o.what==="turn")return q("turn",o)}let i=this.turns.find(e);return i&&q("turn",i)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function q(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var we=1e3;function Xe(r,e,t){let n=r.activityAt(e);if(r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=we))for(let i of t)i.doing!=="reading"||i.connection===n.connection||(i.doing="waiting for the loop",i.waitsFor=n.connection,i.sinceUs=Math.max(i.sinceUs,n.sinceUs));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var ee=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;over;computing=new k;awaiting=new k;writing=new k;open;constructor(e,t){this.id=e,this.peer=t}get fromUs(){return Math.min(this.seenUs,this.begunUs,this.inQueue?.at??1/0)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get accepting(){let e=Math.min(this.leftUs,this.begunUs,this.goneUs,this.inQueue?.at??1/0);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}endUs(e){return this.begunUs===1/0?this.goneUs:this.overUs===1/0?1/0:this.goneUs<1/0?Math.max(this.overUs,this.goneUs):e?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.endUs(t),o=e>=this.overUs||e>=n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=o?this.over?.outcome:void 0,this.failure=o?this.over?.failure:void 0,this.ending=e>=n?this.endedWith??"unknown":void 0,e>=n?this.#t("ended",n):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{queued:t}=this,n=t===void 0?this.servedUs===1/0:t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing.find(e)??ve(t,"computing",e),o=this.awaiting.find(e)??ve(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let i=o??n;if(i!==void 0)return this.#n("waiting for computing",i);let s=this.writing.find(e)??ve(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading";let a=[this.computing,this.awaiting,this.writing].map(d=>d.last(e)?.to);this.sinceUs=Math.max(this.servedUs,...a.map(d=>d??0))}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function ve(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var _t=7e5,Ft=.1,qt=["done","cut","empty","failed","unknown"],Vt=["FIN","RST","unknown"],tt={fin:"FIN",reset:"RST",unknown:"unknown"},O=class{header;isFinished=!1;#t;#e=new Map;#i=new Map;#n=[];#r=new Map;#c=new Map;#u=new Map;#s=new Map;#o=new A;#f=new Map(qt.map(e=>[e,new A]));#d=new Map(Vt.map(e=>[e,new A]));#a=new S;#y=new S;#b=new S;#m=new Map;#x=!1;#v=!1;#L=0;#h=1/0;#p=0;#g=1/0;#E=0;#M=[];#U=0;#T=-1/0;#w=0;#I=!0;#C;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#h===1/0?0:this.#h,this.#E)}get toUs(){return this.#p}get firstUs(){let e=this.#n.reduce((t,{fromUs:n})=>Math.min(t,n),1/0);return e===1/0?void 0:e}get figures(){return this.#y.all.map(({value:e})=>e)}get dots(){return this.#A(),this.#n}add(e){for(let n of e)this.#F(n);this.#I=!1,this.#C=void 0;let t=this.#p-this.#t;t-this.#E>this.#t*Ft&&this.#H(t)}at(e,t=0){this.#V(e,t);let n=this.#M,o=new Map;for(let d of n){if(d.look(e,this.#x),d.place!=="thread"||d.server===void 0)continue;let l=o.get(d.server);l===void 0?o.set(d.server,[d]):l.push(d)}let i=[];for(let d of this.#e.values()){let l=o.get(d.number)??[];d.presence.at(e)!==!0&&l.length===0||i.push(Xe(d,e,l))}Bt(n,i);let s=this.#a.at(e),a=s?.queued;return{us:e,dots:n,threads:i.sort((d,l)=>d.number-l.number),listeners:[...this.#i.values()].map(({local:d,course:l})=>{let{waiting:c,limit:f}=l.at(e)??{};return{local:d,waiting:c,limit:f}}),hasHandOver:this.#v||i.some(({kind:d})=>d==="accepts"),queued:a,totals:{begun:this.#o.countAt(e),outcomes:et(this.#f,e),endings:et(this.#d,e)},counters:s,figures:this.#y.at(e),leftOut:new Map([...this.#m].map(([d,l])=>[d,l.at(e)??0])),isPartial:e-(this.#m.get("connections")?.last(e)?.at??-1/0)<_t,isClosing:e>=this.#g,note:this.#b.at(e)}}lifeOf(e){let t=this.#r.get(e);return t===void 0?[]:Je(this.#_(t))}happenings(){return this.#C??=Je([...this.#n.flatMap(e=>this.#_(e)),...this.#O()])}#O(){let e=this.#g;return this.#n.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#F(e){if(e.type==="recording"){this.header=e;return}switch(this.#h=Math.min(this.#h,e.at),this.#p=Math.max(this.#p,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#R(e);case"begun":return this.#N(e);case"queued":{this.#v=!0;let t=this.#r.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#r.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#f.get(e.outcome)?.add(e.at);let t=this.#r.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#$(e);case"doing":return this.#D(e);case"socket":return this.#l(e);case"connection":return this.#q(e);case"listener":{let t=e.cookie??e.local,n=this.#i.get(t)??{local:e.local,course:new S};this.#i.set(t,n),n.course.add(e.at,e);return}case"counters":this.#a.add(e.at,e.values);return;case"figures":this.#y.add(e.at,e);return;case"closing":this.#g=Math.min(this.#g,e.at);return;case"note":this.#b.add(e.at,e.text);return;case"left_out":{let t=this.#m.get(e.what)??new S;this.#m.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count);return}case"end":this.isFinished=!0}}#R({thread:e,name:t,loop:n,gone:o,at:i}){let s=this.#e.get(e)??new Z(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(i,o!==!0),o===!0&&(s.open=void 0)}#N(e){let{at:t,connection:n,peer:o,cookie:i,by:s}=e;this.#o.add(t);let d=(i===void 0?void 0:this.#u.get(i))??this.#c.get(o),c=d!==void 0&&d.connection===void 0&&t<d.goneUs?d:this.#k(o);c.connection=n,c.begunUs=t,c.isOwn=s==="page",this.#r.set(n,c),i!==void 0&&this.#u.set(i,c);let f=this.#s.get(o);f!==void 0&&(this.#s.delete(o),f.at>=t&&Ze(c,f))}#k(e){let t=new ee(++this.#L,String(e));return this.#n.push(t),this.#c.set(e,t),t}#$(e){let{name:t,at:n,to:o,thread:i,task:s}=e,a=i===void 0?void 0:this.#e.get(i);a?.open!==void 0&&a.open.at<o&&(a.open=void 0);let d=e.connection===void 0?void 0:this.#r.get(e.connection);d?.open!==void 0&&d.open.at<o&&(d.open=void 0);let l={at:n,to:o,thread:i,task:s};switch(t){case"computing":a?.computing.add(e),d?.computing.add(l);return;case"waiting for computing":d?.awaiting.add(l);return;case"writing":a?.writing.add(e),d?.writing.add(l);return;case"turn":case"turns":a?.turns.add(e)}}#D(e){let{at:t,thread:n,connection:o,peer:i,what:s,task:a}=e;if(i!==void 0)return this.#S(i,t,s!==void 0);let d=n===void 0?void 0:this.#e.get(n);if(s===void 0){let c=d===void 0?o:d.open?.connection;d?.open!==void 0&&(d.open={...d.open,to:t});let f=this.#r.get(c??0);f?.open!==void 0&&(f.open={...f.open,to:t});return}d!==void 0&&(d.open={...e,to:1/0});let l=this.#r.get(o??0);l!==void 0&&(l.open={at:t,to:1/0,thread:n,task:a,what:s})}#S(e,t,n){this.#v=!0;let o=this.#P(e,t);if(n){let i=o?.connection===void 0&&o!==void 0?o:this.#k(e);i.inQueue={at:t,to:1/0}}else o?.inQueue!==void 0&&(o.inQueue={...o.inQueue,to:t})}#l({at:e,cookie:t,remote:n,state:o,end:i,waiting:s}){if(i==="client")return;this.#x=!0;let a=this.#u.get(t)??this.#P(n,e);if(o==="CLOSE"){if(this.#u.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}s===!0?(a??=this.#k(n),a.seenUs=Math.min(a.seenUs,e)):a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e)),a!==void 0&&this.#u.set(t,a)}#P(e,t){let n=this.#c.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#q(e){this.#d.get(tt[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#u.get(e.cookie))??this.#c.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?Ze(n,e):this.#s.set(e.remote,e)}#A(){this.#I||(this.#n.sort((e,t)=>e.fromUs-t.fromUs),this.#I=!0,this.#T=1/0)}#V(e,t){this.#A();let n=e>=this.#T&&t===this.#w;n||(this.#M=[],this.#U=0);let o=i=>i.endUs(this.#x)+t<=e;for(n&&(this.#M=this.#M.filter(i=>!o(i)));this.#U<this.#n.length;this.#U++){let i=this.#n[this.#U];if(i.fromUs>e)break;o(i)||this.#M.push(i)}this.#T=e,this.#w=t}#H(e){this.#E=e;let t=({doneUs:n})=>n<e;this.#n=this.#n.filter(n=>t(n)?(n.connection!==void 0&&this.#r.delete(n.connection),this.#c.get(n.peer)===n&&this.#c.delete(n.peer),!1):!0);for(let[n,o]of this.#u)t(o)&&this.#u.delete(n);for(let[n,{at:o}]of this.#s)o<e&&this.#s.delete(n);for(let n of this.#n)n.computing.forget(e),n.awaiting.forget(e),n.writing.forget(e);for(let[n,o]of this.#e){o.forget(e);let{all:i}=o.presence;i.length===1&&i[0]?.value===!1&&i[0].at<e&&this.#e.delete(n)}for(let{course:n}of this.#i.values())n.forget(e);for(let n of[this.#o,...this.#f.values(),...this.#d.values()])n.forget(e);for(let n of[this.#a,this.#y,this.#b,...this.#m.values()])n.forget(e);this.#I=!1}#_(e){let t=[],n=f=>this.#e.get(f??0)?.name??"a thread",{connection:o,peer:i,queued:s,accepting:a}=e,d=o===void 0?i:\`#\${o}\`,l=(f,u)=>t.push({us:f,text:u,connection:o});a!==void 0&&l(a.at,\`\${d} is in the accept queue\`),e.begunUs<1/0&&l(e.begunUs,\`\${d} is accepted\`),s!==void 0&&l(s.at,\`\${d} waits in the hand-over queue\`),e.servedUs<1/0&&l(e.servedUs,\`\${n(e.server)} begins to serve \${d}\`);for(let{at:f,to:u,task:m,thread:p}of e.computing.all){let b=m===void 0?"":\` \${m}\`;l(f,\`\${n(p)} begins to compute\${b} for \${d}\`),l(u,\`\${n(p)} has computed\${b} for \${d}\`)}for(let{at:f,to:u}of e.awaiting.all)l(f,\`\${d} waits while another thread computes\`),l(u,\`\${d} has the result\`);for(let{at:f,to:u}of e.writing.all)l(f,\`\${d} waits for its peer to take what was sent\`),l(u,\`the peer of \${d} has taken it\`);if(e.over!==void 0){let{outcome:f,failure:u}=e.over,m=u===void 0?"":\`, \${u}\`;l(e.overUs,\`\${d} is over: \${f}\${m}\`)}let c=e.endUs(!0);return c<1/0&&e.endedWith!==void 0&&l(c,\`\${d} has ended with \${e.endedWith}\`),t}};function Je(r){return r.toSorted((e,t)=>e.us-t.us)}function Ze(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=tt[t]??"unknown"}function et(r,e){let t=[...r].map(([n,o])=>[n,o.countAt(e)]);return Object.fromEntries(t)}function Bt(r,e){let t=s=>{let a=e.filter(d=>d.kind===s);return a.length===1?a[0]:void 0},n=t("serves"),o=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,i=t("computes")?.activity?.connection;for(let s of r){let{place:a,doing:d,connection:l}=s;a==="accept queue"||a==="hand-over queue"?s.waitsFor=o:d==="waiting for computing"&&l!==i&&(s.waitsFor=i)}}var nt=90,Wt=2e3,zt=4,Kt=9,te=class{#t=new Map;#e=new Map(T.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,o]=[!1,!1];for(let i of e){let s=this.#t.get(i);if(s===void 0){n=!0,this.#t.set(i,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:i,look:$(i),place:i.place,thread:i.thread});continue}s.round=t;let a=$(i);o||=a!==s.look||i.place==="ended",s.look=a,!(s.place===i.place&&s.thread===i.thread)&&(n=!0,s.place=i.place,s.thread=i.thread)}if(this.#t.size>e.length){for(let[i,s]of this.#t)s.round!==t&&this.#t.delete(i);n=!0}return{hasMoved:n,hasChanged:o||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},o){let i=this.#t.get(e);i!==void 0&&(i.toX=t,i.toY=n,Number.isNaN(i.x)&&(i.x=t+o.x,i.y=n+o.y))}move(e,t){let n=t?1:1-Math.exp(-e/nt),o=!1;for(let i of this.#t.values()){let[s,a]=[i.toX-i.x,i.toY-i.y];n===1||Math.abs(s)+Math.abs(a)<.4?(i.x=i.toX,i.y=i.toY):(i.x+=s*n,i.y+=a*n,o=!0),!(i.alpha>=1)&&(i.alpha=Math.min(1,t?1:i.alpha+e/(2*nt)),o=!0)}return o}get isLarge(){return this.#t.size>Wt}nearest({x:e,y:t},n){let[o,i]=[void 0,n*n];for(let s of this.#t.values()){let a=(s.x-e)**2+(s.y-t)**2;a>i||([o,i]=[s,a])}return o?.dot}draw(e,t){let{radius:n,colours:o}=t;for(let i of this.#e.values())i.length=0;for(let i of this.#t.values())Number.isNaN(i.x)||this.#e.get(i.look)?.push(i);for(let[i,s]of this.#e){if(s.length===0)continue;let a=o.get(i);n<zt?Gt(e,s,a,n):Yt(e,s,i,a,t)}e.globalAlpha=1;for(let i of this.#t.values())t.isFollowed(i.dot)&&(e.strokeStyle=o.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(i.x,i.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function Gt(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let o=2*n;for(let{x:i,y:s}of e)r.fillRect(i-n,s-n,o,o);return}r.beginPath();for(let{x:o,y:i}of e)r.moveTo(o+n,i),r.arc(o,i,n,0,2*Math.PI);r.fill()}function Yt(r,e,t,n,{radius:o,colours:i,letterOf:s,shareOf:a,font:d}){let l=Pe.get(t),c=i.get("well"),f=Math.max(1.5,o*.26);r.lineWidth=f,r.strokeStyle=n,r.font=d,r.textAlign="center",r.textBaseline="middle";for(let u of e){let{x:m,y:p,dot:b}=u;if(r.globalAlpha=u.alpha*a(b),r.beginPath(),l==="cross"){let w=o*.7;r.moveTo(m-w,p-w),r.lineTo(m+w,p+w),r.moveTo(m+w,p-w),r.lineTo(m-w,p+w),r.stroke();continue}r.arc(m,p,l==="ring"?o-f/2:o,0,2*Math.PI),r.fillStyle=l==="ring"?c:n,r.fill(),l==="ring"&&r.stroke(),!(o<Kt)&&(r.fillStyle=l==="ring"?n:c,r.fillText(s(b),m,p+.5))}r.globalAlpha=1}function xe({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var Qt=Math.PI*(3-Math.sqrt(5));function ot(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function rt({width:r,height:e},t,n){let o=n*2.6,i=Math.min(o,Math.sqrt(r*e/Math.max(1,t)));for(;i>.5&&Math.max(1,Math.floor(r/i))*Math.max(1,Math.floor(e/i))<t;)i*=.97;return i}function st(r,e,t,n){let o=rt(r,e,t),{x:i,y:s,width:a,height:d}=r;if(n){let c=Math.max(1,Math.floor(a/o));return f=>({x:i+o*(f%c+.5),y:s+d-o*(Math.floor(f/c)+.5)})}let l=Math.max(1,Math.floor(d/o));return c=>({x:i+a-o*(Math.floor(c/l)+.5),y:s+o*(c%l+.5)})}function V(r,e,t){let n=rt(r,e,t),o=Math.max(1,Math.floor(r.width/n));return i=>({x:r.x+n*(i%o+.5),y:r.y+n*(Math.floor(i/o)+.5)})}function Ee({x:r,y:e,width:t,height:n},o){let i=Math.max(4,Math.min(t,n)/2-o-3);return{x:r+t/2,y:e+n/2,radius:i}}function at(r,e,t){let n=Math.floor(2*Math.PI*r.radius/(t*2.6)),o=2**Math.floor(Math.log2(Math.max(1,n)));if(e<=o)return s=>it(r,r.radius,2*Math.PI*jt(s)-Math.PI/2);let i=2**Math.ceil(Math.log2(e));return s=>{let a=Math.sqrt(.06+.94*(s+.5)/i);return it(r,r.radius*a,s*Qt)}}function it({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function jt(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var H=class{#t=new Map;#e=[];#i=0;get size(){return this.#i}keep(e){let t=new Set(e);for(let[n,o]of this.#t)t.has(n)||(this.#t.delete(n),this.#e.push(o));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((n,o)=>o-n);for(let n of e)this.#t.has(n)||this.#t.set(n,this.#e.pop()??this.#i++)}of(e){return this.#t.get(e)??0}};var Xt=32,Jt=720,Zt=100,en=64,tn=70,Me="in the kernel",dt={closing:["Closing","not over yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]},ie=class{root;canvas;#t;#e;#i;#n;#r;#c;#u;#s;#o=new te;#f;#d=new Map;#a;#y="";#b=new Map;#m=!1;#x=!1;#v=new Map;#L=-1/0;#h=10;#p="";#g=!0;followed;lingerUs=7e5;constructor(e){this.#f=e;let t=h("div",{class:"fill"}),n=ne("accept","Accept queue",Me);n.count.after(h("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t,where:n.root.querySelector(".who")},this.#i=ne("handover","Hand-over queue","in the process"),this.#c=h("div",{class:"cards"}),this.#u=h("p",{class:"others"}),this.#r=h("p",{class:"who"});let o=h("h3",{text:"Threads"});this.#n={root:h("section",{class:"box threads",children:[o,this.#r,this.#c,this.#u]}),title:o},this.#s=new Map(Object.keys(dt).map(s=>{let a=ne(\`end \${s.toLowerCase()}\`,...dt[s]);return[s,{...a,slots:new H}]}));let i=h("div",{class:"ends",children:[...this.#s.values()].map(({root:s})=>s)});this.#t=h("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,i]}),this.canvas=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#m=!1,this.#g=!0,this.#L=-1/0}hit(e){return this.#o.nearest(e,Math.max(14,this.#h+4))}show(e,t,n){let o=performance.now();this.#M(e)&&this.refresh(),o-this.#L>=Zt&&(this.#L=o,this.#U(e)),this.#m||this.#C();let{hasMoved:i,hasChanged:s}=this.#o.keep(e.dots);(i||this.#g)&&this.#F(e);let a=this.#o.move(t,n),d=this.#D(e,t,n),l=this.#E(e);return(s||a||d||this.#g||l!==this.#p)&&this.#S(e),this.#p=l,this.#g=!1,a||d}#E({threads:e}){return e.map(({activity:t,isLoop:n,kind:o})=>t!==void 0&&(n||o==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#o.isLarge}#M({threads:e,hasHandOver:t,totals:n}){let o=e.filter(({kind:g})=>g==="serves"||g==="computes"),i=o.filter(({isLoop:g})=>g),s=o.filter(({isLoop:g})=>!g),a=s.length>Xt,d=a?i:[...i,...s],l=e.filter(({kind:g})=>g!=="serves"&&g!=="computes"),{unknown:c}=n.endings,f=JSON.stringify([t,a,c>0,d.map(({number:g,name:U})=>[g,U]),l.map(({name:g})=>g)]);if(f===this.#y)return!1;this.#y=f,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);let u=new Map(this.#d);this.#d.clear();for(let g of d)this.#d.set(g.number,u.get(g.number)??nn(g));let m=[...this.#d.values()].map(({root:g})=>g);a?(this.#a??={...ne("dense","",""),slots:new H},m.push(this.#a.root)):this.#a=void 0,this.#c.replaceChildren(...m),this.#c.classList.toggle("one",d.length===1&&!a);let p=i.length===0,b=d.some(({name:g})=>g.startsWith("process"));y(this.#n.title,p?b?"Processes":"Threads":i.length===1?"Event loop":"Event loops");let w=l.map(({name:g})=>g).join(", ");return y(this.#u,w===""?"":\`also there: \${w}\`),this.#u.hidden=w==="",!0}#U(e){let{listeners:t,dots:n,queued:o,totals:i,threads:s,us:a}=e,d=v=>n.reduce((M,de)=>M+(de.place===v?1:0),0),l=t.filter(({waiting:v})=>v!==void 0),c=l.reduce((v,{waiting:M=0})=>v+M,0),f=l.reduce((v,{limit:M=0})=>v+M,0);y(this.#e.count,l.length===0?"not known":\`\${c} of \${f}\`),this.#e.where!==null&&y(this.#e.where,e.isClosing?\`\${Me}; newcomers are kept out\`:Me),this.#e.gauge.style.width=\`\${f===0?0:Math.min(100,c/f*100)}%\`,this.#T(this.#e,"accept queue",n),this.#T(this.#i,"hand-over queue",n);let u=d("hand-over queue");y(this.#i.count,String(Math.max(u,o??0)));for(let v of s){let M=this.#d.get(v.number);if(M===void 0)continue;let{root:de,what:Le}=M,Ue=this.#I(v,a);y(Le,Ue),Le.title=Ue,de.dataset.state=on(v)}let m=s.filter(({kind:v})=>v==="serves"),p=m.reduce((v,{dots:M})=>v+M.length,0),b=m.filter(({dots:v})=>v.length>0).length;this.root.classList.toggle("partial",e.isPartial);let w=e.counters?.live;if(y(this.#r,e.isPartial&&w!==void 0?\`the server counts \${Te(w,"connection")}, too many come and go to draw each\`:m.some(({isLoop:v})=>v)?\`\${Te(p,"connection")} in turns\`:\`\${E(b)} of \${E(m.length)} \${b===1?"serves":"serve"}\`),this.#a!==void 0){let v=m.filter(({activity:M})=>M?.what==="computing").length;y(this.#a.count,\`\${E(m.length)} threads: \${E(v)} compute, \${E(b-v)} wait for peers, \${E(m.length-b)} are free\`)}let{endings:g,outcomes:U}=i,se=Object.values(U).reduce((v,M)=>v+M,0),Se=g.FIN+g.RST+g.unknown;y(this.#w("closing").count,String(d("closing"))),y(this.#w("FIN").count,E(g.FIN)),y(this.#w("RST").count,E(g.RST));let ae=g.unknown+(Se===0?se:0);y(this.#w("unknown").count,E(ae));let ht=Se>0||ae===0;for(let v of["closing","FIN","RST"])this.#w(v).root.hidden=!ht;this.#w("unknown").root.hidden=ae===0}#T({whom:e},t,n){let o=n.find(i=>i.place===t)?.waitsFor;y(e,o===void 0?"":\`for \${this.#f.nameOf(o)}\`)}#w(e){return this.#s.get(e)}#I({activity:e,dots:t,isLoop:n,turns:o,kind:i},s){let{nameOf:a}=this.#f,d=e?.connection===void 0?"":\` for \${a(e.connection)}\`,l=e===void 0?"":x(Math.max(0,s-e.sinceUs));if(e?.what==="computing"){let u=e.task===void 0?"":\` \${e.task}\`;return n?\`stands still: computes\${u}\${d} · \${l}\`:\`computes\${u}\${d} · \${l}\`}if(n&&e!==void 0&&s-e.sinceUs>=we)return\`stands still: a turn\${d} · \${l}\`;if(n)return\`\${Te(t.length,"connection")} · \${E(o)} \${o===1?"turn":"turns"}\`;if(i==="computes")return"free";let[c]=t;if(c===void 0)return"free";let f=c.connection===void 0?c.peer:a(c.connection);return c.doing==="writing"?\`waits until \${f} takes what was sent\`:\`waits for \${f} to send\`}#C(){this.#m=!0;let e=this.root.getBoundingClientRect(),t=c=>{let{x:f,y:u,width:m,height:p}=c.getBoundingClientRect();return{x:f-e.x,y:u-e.y,width:m,height:p}};this.#x=e.width<Jt,this.#b=new Map;let n=[this.#e,this.#i,...this.#s.values()].map(({well:c})=>c);this.#a!==void 0&&n.push(this.#a.well);for(let c of n)this.#b.set(c,t(c));for(let c of this.#d.values())c.rectangle=t(c.well);let o=Math.min(2,devicePixelRatio),[i,s]=[Math.round(e.width*o),Math.round(e.height*o)];(this.canvas.width!==i||this.canvas.height!==s)&&(this.canvas.width=i,this.canvas.height=s);let a=getComputedStyle(this.root),d=h("i",{class:"probe"});this.root.append(d);let l=[...T.map(({look:c})=>c),"well","accent","line","faint"];this.#v=new Map(l.map(c=>(d.style.color=\`var(--figure-\${c})\`,[c,getComputedStyle(d).color]))),d.remove(),this.#O=\`600 10px \${a.fontFamily}\`}#O="600 10px sans-serif";#F(e){let{dots:t,threads:n}=e;this.#h=ot(t.length);let o=this.#h,i=new Map;for(let c of t){let f=c.place==="ended"?c.ending:c.place,u=i.get(f);u===void 0?i.set(f,[c]):u.push(c)}let s=this.#x?{x:0,y:-18}:{x:-18,y:0},a=(c,f)=>c.sinceUs-f.sinceUs||c.id-f.id,d=(c,{well:f})=>{let u=st(this.#$(f),c.length,o,this.#x);c.sort(a).forEach((m,p)=>this.#o.send(m,u(p),s))};d(i.get("accept queue")??[],this.#e);let l=!this.#i.root.hidden;l&&d([...i.get("hand-over queue")??[],...i.get("taken")??[]],this.#i);for(let c of n)this.#N(c,s);if(this.#a!==void 0&&this.#k(n,s),!l){let{x:c,y:f,height:u}=this.#R();for(let m of[...i.get("hand-over queue")??[],...i.get("taken")??[]])this.#o.send(m,{x:c-o,y:f+u/2},s)}for(let[c,{well:f,slots:u}]of this.#s){let m=i.get(c)??[];u.keep(m);let p=V(this.#$(f),Math.max(1,u.size),o);for(let b of m)this.#o.send(b,p(u.of(b)),s)}}#R(){return[...this.#d.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#N({number:e,dots:t,isLoop:n},o){let i=this.#d.get(e);if(i===void 0)return;let{rectangle:s,slots:a}=i;a.keep(t);let d=this.#h,l=n?at(Ee(s,d),a.size,d):V(s,Math.max(1,a.size),d);for(let c of t)this.#o.send(c,l(a.of(c)),o)}#k(e,t){if(this.#a===void 0)return;let{well:n,slots:o}=this.#a,i=e.filter(({number:a,kind:d})=>d==="serves"&&!this.#d.has(a));o.keep(i.map(({number:a})=>a));let s=V(this.#$(n),Math.max(1,o.size),this.#h);for(let{number:a,dots:d}of i)for(let l of d)this.#o.send(l,s(o.of(a)),t)}#$(e){return this.#b.get(e)??{x:0,y:0,width:1,height:1}}#D({threads:e,dots:t},n,o){let i=!1;for(let{number:s,isLoop:a,activity:d,turns:l,lastTurn:c,dots:f}of e){let u=a?this.#d.get(s):void 0;if(u===void 0)continue;let m=d?.connection??c,p=m===void 0?void 0:f.find(({connection:g})=>g===m),b=p&&this.#o.find(p);if(b!==void 0){let g=xe(u.rectangle);u.toAngle=Math.atan2(b.toY-g.y,b.toX-g.x)}else l!==u.turns&&(u.toAngle+=(l-u.turns)*2*Math.PI/Math.max(8,f.length));u.turns=l;let w=rn(u.toAngle-u.angle);o||Math.abs(w)<.01?u.angle=u.toAngle:(u.angle+=w*(1-Math.exp(-n/tn)),i=!0)}return i&&t.length>0}#S(e){let t=this.canvas.getContext("2d");if(t===null)return;let{width:n}=this.root.getBoundingClientRect(),o=this.canvas.width/Math.max(1,n);t.setTransform(o,0,0,o,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let a of e.threads)a.isLoop&&this.#P(t,a);this.#q(t,e.threads),this.#A(t,e);let{lingerUs:i,followed:s}=this;this.#o.draw(t,{radius:this.#h,colours:this.#v,font:this.#O,letterOf:this.#f.letterOf,isFollowed:({connection:a})=>s!==void 0&&a===s,shareOf:({place:a,sinceUs:d})=>a==="ended"?Math.max(0,1-(e.us-d)/i):1})}#l(e){return this.#v.get(e)??"gray"}#P(e,{number:t,activity:n}){let o=this.#d.get(t);if(o===void 0)return;let{x:i,y:s,radius:a}=Ee(o.rectangle,this.#h),d=n?.what==="computing";e.lineWidth=d?2.5:1.5,e.strokeStyle=this.#l(d?"computing":"line"),e.beginPath(),e.arc(i,s,a,0,2*Math.PI),e.stroke();let l=Math.max(4,a-this.#h-6);e.strokeStyle=this.#l(d?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=d?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(i,s),e.lineTo(i+l*Math.cos(o.angle),s+l*Math.sin(o.angle)),e.stroke(),e.beginPath(),e.arc(i,s,d?6:4,0,2*Math.PI),e.fill()}#q(e,t){if(this.#a===void 0)return;let{well:n,slots:o}=this.#a,i=V(this.#$(n),Math.max(1,o.size),this.#h),s=Math.max(2,this.#h*2.2);e.strokeStyle=this.#l("line"),e.lineWidth=1;for(let{number:a,kind:d}of t){if(d!=="serves"||this.#d.has(a))continue;let{x:l,y:c}=i(o.of(a));e.strokeRect(l-s/2,c-s/2,s,s)}}#A(e,{threads:t,dots:n}){let o=t.filter(({kind:s,activity:a})=>s==="computes"&&a?.what==="computing").slice(0,en);if(o.length===0)return;let i=20;e.font=this.#O,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:a}of o){let d=this.#d.get(s);if(d===void 0||a===void 0)continue;let{x:l,y:c}=xe(d.rectangle),f=n.find(({connection:m})=>m===a.connection),u=f&&this.#o.find(f);u!==void 0&&(e.strokeStyle=this.#l("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(u.x,u.y),e.lineTo(l,c),e.stroke(),e.setLineDash([])),e.fillStyle=this.#l("computing"),e.beginPath(),e.roundRect(l-i/2,c-i/2,i,i,4),e.fill(),f!==void 0&&(e.fillStyle=this.#l("well"),e.fillText(this.#f.letterOf(f),l,c+.5))}}};function ne(r,e,t){let n=h("p",{class:"count"}),o=h("p",{class:"who whom"}),i=h("div",{class:"well"});return{root:h("section",{class:\`box \${r}\`,children:[...e===""?[]:[h("h3",{text:e})],...t===""?[]:[h("p",{class:"who",text:t})],n,o,i]}),count:n,whom:o,well:i}}function nn({number:r,name:e,isLoop:t,kind:n,turns:o}){let i=h("p",{class:"what"}),s=h("div",{class:"well"});return{root:h("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[h("h4",{text:e}),i,s]}),what:i,well:s,turns:o,slots:new H,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function on({activity:r,dots:e,isLoop:t}){return r?.what==="computing"?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function Te(r,e){return\`\${E(r)} \${e}\${r===1?"":"s"}\`}function rn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var sn=6e7,an=700,dn=12,ln=.04,cn=150,un=5e3,hn=3e3,fn=200,mn=250,oe=class extends W{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new J;#i=new _;#n=new O;#r=[];#c=new Map;#u=!1;#s=!1;#o;#f;#d;#a;#y;#b;#m;#x;#v=[];#L;#h=!0;#p=0;#g;#E=-1/0;#M=-1/0;#U="";#T="";#w=new N;get lines(){return this.#t}set lines(e){this.#t=e,this.#u=!1,this.#s=!1,this.#n=new O,this.#n.add(Y(e)),this.#O()}get names(){return this.#r}set names(e){this.#r=e,this.#N(),this.#l()}get view(){return this.#n.at(this.#e.us,this.#D)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#o?.followed}startLive(){this.#u=!0,this.#s=!0,this.#n=new O({keepUs:sn}),this.#i=new _,this.#e.goLive(),this.#O()}appendLines(e){this.#u||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#l()}stopLive(){this.#s&&(this.#s=!1,this.#e.isLive=!1,this.#l())}play(){this.#e.play(),this.#l()}pause(){this.#e.pause(),this.#l()}seek(e){this.#R(),this.#e.seek(e),this.#l()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),o=e>0?n.find(i=>i.us>t+.5):n.findLast(i=>i.us<t-.5);o!==void 0&&this.seek(o.us)}follow(e){this.#o!==void 0&&(this.#o.followed=e,this.#o.refresh(),this.#T="",this.#E=-1/0,this.#f!==void 0&&(this.#f.follow.value=e===void 0?"":String(e)),this.#l())}connectedCallback(){this.#o===void 0&&this.#q();let e=new IntersectionObserver(([i])=>{this.#h=i?.isIntersecting??!0,this.#l()});e.observe(this);let t=new ResizeObserver(()=>this.#S());t.observe(this.#o?.root);let n=new MutationObserver(()=>this.#S());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#v=[e,t,n],this.#L=new AbortController;let{signal:o}=this.#L;for(let i of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(i).addEventListener("change",()=>this.#S(),{signal:o});this.#l()}disconnectedCallback(){for(let e of this.#v)e.disconnect();this.#v=[],this.#L?.abort(),this.#w.stop(),cancelAnimationFrame(this.#p),this.#p=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#I(n),e==="names"&&(this.names=K(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#_()}async#I(e){await this.#w.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!ue()&&this.play()},t=>this.#C(t))}#C(e){this.#b!==void 0&&y(this.#b,e)}#O(){if(this.#N(),this.#_(),this.#R(),!this.#s){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let e=Number(this.getAttribute("speed"));this.#e.setSpeed(e>0?e:this.#F())}this.follow(void 0),this.#S()}#F(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/dn;return D.find(o=>o>=n)??10}#R(){let e=this.#n;if(this.#u){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,o]=[t[0],t.at(-1)];if(n===void 0||o===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let i=Math.max(1e3,(o.us-n.us)*ln);this.#e.range={fromUs:Math.max(0,n.us-i),toUs:o.us+i}}#N(){if(this.#c=new Map,this.#r.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#r.length).entries())this.#c.set(n,this.#r[t])}#k(e){return this.#c.get(e)??\`#\${e}\`}#$({connection:e}){if(e===void 0)return"";let t=this.#c.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#D(){return an*1e3*this.#e.speed}#S(){this.#o?.refresh(),this.#E=-1/0,this.#l()}#l(){this.#p!==0||this.#o===void 0||!this.isConnected||(this.#p=requestAnimationFrame(e=>this.#P(e)))}#P(e){this.#p=0;let t=this.#o;if(t===void 0)return;let n=ue(),o=Math.min(100,e-(this.#g??e));if(n&&this.#e.isPlaying&&e-(this.#g??-1/0)<mn){this.#l();return}this.#g=e,this.#R();let i=this.#e.us,s=this.#s?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:a}=this.#e,{view:d}=this;t.lingerUs=this.#D;let l=t.isLarge&&Math.abs(a-i)>1e6,c=t.show(d,o,n||l);(e-this.#E>=cn||!this.#e.isPlaying)&&(this.#E=e,this.#W(d)),(this.#e.isPlaying&&this.#h||c)&&this.#l()}#q(){let e=this.attachShadow({mode:"open"});R(e,C,Q,_e,Fe,qe);let t=new ie({nameOf:a=>this.#k(a),letterOf:a=>this.#$(a)});this.#o=t,t.canvas.addEventListener("click",a=>{let{x:d,y:l}=t.canvas.getBoundingClientRect(),c=t.hit({x:a.clientX-d,y:a.clientY-l});this.follow(c?.connection)}),this.#a=h("h2"),this.#y=h("p",{class:"sub"}),this.#b=h("p",{class:"now"}),this.#m=h("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=h("p"),o=h("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});this.#d={root:h("div",{class:"followed",children:[n,o]}),title:n,list:o},this.#d.root.hidden=!0;let i=ze();this.#f=i,this.#A(i);let s=new X(a=>this.#k(a),()=>this.#S());this.#x=s,e.append(h("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[h("div",{class:"head",children:[this.#a,this.#y]}),t.root,i.root,this.#b,this.#d.root,Ke(),s.root,this.#m]})),this.#_()}#A(e){let{play:t,live:n,slower:o,faster:i,back:s,step:a,time:d,follow:l}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#l()}),o.addEventListener("click",()=>this.#H(-1)),i.addEventListener("click",()=>this.#H(1)),s.addEventListener("click",()=>this.step(-1)),a.addEventListener("click",()=>this.step(1)),d.addEventListener("input",()=>{let{fromUs:c,toUs:f}=this.#e.range;this.#e.pause(),this.seek(c+Number(d.value)/Number(d.max)*(f-c))}),l.addEventListener("input",()=>{let c=Number(l.value);this.follow(l.value!==""&&Number.isInteger(c)?c:void 0)}),this.shadowRoot?.addEventListener("keydown",c=>this.#V(c))}#V(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,o=t instanceof HTMLButtonElement,{key:i}=e;if(i==="Escape")this.follow(void 0);else{if(n)return;if(i==="+")this.#H(1);else if(i==="-")this.#H(-1);else if(i===".")this.step(1);else if(i===",")this.step(-1);else if(i==="k"||i===" "&&!o&&t===this.#f?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#H(e){this.#e.changeSpeed(e),this.#S()}#_(){if(this.#a===void 0||this.#y===void 0)return;let{header:e}=this.#n;y(this.#a,this.getAttribute("data-title")??e?.by??""),y(this.#y,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#a.parentElement?.toggleAttribute("hidden",e===void 0&&this.#a.textContent==="")}#W(e){this.#z(e),this.#K(e),this.#Y(e),this.#x?.show(e),this.#Q(e)}#z({us:e}){let t=this.#f;if(t===void 0)return;let{isPlaying:n,isLive:o,speed:i,range:s}=this.#e;y(t.play,n?"Pause":this.#e.isAtEnd&&!this.#s?"Again":"Play"),t.live.hidden=!this.#s,y(t.live,o?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(o)),y(t.speed,i>=1?\`\${i}×\`:\`1/\${Math.round(1/i)}×\`),t.slower.disabled=i<=D[0],t.faster.disabled=i>=D.at(-1);let a=Math.max(1,s.toUs-s.fromUs),{max:d}=t.time,l=String(Math.round((e-s.fromUs)/a*Number(d)));t.time.value!==l&&(t.time.value=l);let c=this.#s?o?"now":\`\${x(Math.max(0,s.toUs-e))} ago\`:\`\${x(Math.max(0,e-s.fromUs))} of \${x(a)}\`;y(t.moment,c),t.time.setAttribute("aria-valuetext",c)}#K({us:e,note:t,leftOut:n,isPartial:o}){if(this.#s&&this.#e.isPlaying){if(!o)return this.#C(t??"");let s=n.get("connections")??0;return this.#C(\`Too many connections to draw each of them: \${E(s)} were left out so far.\`)}let i=this.#n.dots.length>hn?void 0:this.#G(e);this.#C(i===void 0?t??"":this.#B(i))}#G(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#B({text:e,connection:t}){let n=t===void 0?void 0:this.#c.get(t),o=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return o.slice(0,1).toUpperCase()+o.slice(1)}#Y(e){let t=this.#d,n=this.#o?.followed;if(t===void 0||(t.root.hidden=n===void 0,n===void 0))return;let o=this.#n.lifeOf(n).slice(-fn),i=e.dots.find(u=>u.connection===n),s=i??this.#n.dots.find(u=>u.connection===n),a=i===void 0?"is not in the picture":\`\${i.place==="thread"?"is served by":"is here:"} \${ge(i,e)}: \${ye(i,u=>this.#k(u))}\`,d=s===void 0?"":\`, from \${s.peer},\`;y(t.title,\`\${this.#k(n)}\${d} \${a}\`);let l=o.filter(({us:u})=>u<=e.us+.5).length,c=\`\${n} \${o.length} \${l} \${o.at(-1)?.us}\`;if(c===this.#T)return;this.#T=c;let{fromUs:f}=this.#e.range;t.list.replaceChildren(...o.map((u,m)=>h("li",{class:m<l?"past":"",children:[h("time",{text:x(Math.max(0,u.us-f))}),h("span",{text:this.#B(u)})]})))}#Q({dots:e,totals:t}){let n=performance.now();if(this.#m===void 0||n-this.#M<un)return;let o=l=>e.filter(c=>c.place===l).length,i=o("thread"),s=o("accept queue")+o("hand-over queue"),a=Object.values(t.outcomes).reduce((l,c)=>l+c,0),d=\`\${i} served, \${s} waiting, \${a} over\`;d!==this.#U&&(this.#M=n,this.#U=d,y(this.#m,d))}};z("model-figure",oe);var pn={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},gn=250,yn=2e3,re=L("figure"),ct=[new I({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:$e,least:10}),new I({title:"Life of a connection",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:x,least:1e3}),new I({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${Ne(r)} of a core\`,least:1}),new I({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:Re,least:2**20,unit:2**20})],lt=!1;R(document,C);L("charts").append(...ct.map(({root:r})=>r));setInterval(xn,gn);ut();function L(r){return document.getElementById(r)}async function bn(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:o,version:i,details:s=[],actions:a=[]}=r;y(L("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let d=[t,n,...s,o,i&&\`version \${i}\`];y(L("about"),d.filter(l=>l!==void 0).map(String).join(" · ")),L("actions").hidden=a.length===0,L("buttons").replaceChildren(...a.map(l=>{let[c,f]=pn[l]??[String(l),""],u=h("button",{text:c,attributes:{type:"button",title:f}});return u.addEventListener("click",()=>{wn(String(l),u)}),u}))}async function wn(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();y(L("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{y(L("answer"),"The server does not answer.")}finally{e.disabled=!1,e.focus()}}function ke(r,e){let t=L("state");t.dataset.state=r,y(t,e)}function ut(){let r=new EventSource("events");r.addEventListener("message",({data:e})=>{let{lines:t}=G(String(e));t.some(({type:n})=>n==="recording")&&(re.startLive(),ke("live","live"),bn()),re.appendLines(t),t.some(({type:n})=>n==="end")&&(lt=!0,r.close(),re.stopLive(),ke("ended","The server has ended. This is its last picture."))}),r.addEventListener("error",()=>{lt||(ke("lost","The server does not answer. This is its last picture; trying again …"),r.readyState===EventSource.CLOSED&&(r.close(),setTimeout(ut,yn)))})}function vn(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function xn(){if(document.hidden)return;let{us:r,scene:e,view:t}=re;for(let s of ct)s.show(e.figures,r);let{counters:n={}}=t,o=L("counters"),i=Object.keys(n);o.dataset.names!==i.join()&&(o.dataset.names=i.join(),o.replaceChildren(...i.map(s=>h("div",{children:[h("dt",{text:vn(s)}),h("dd")]}))));for(let[s,a]of[...o.querySelectorAll("dd")].entries())y(a,E(n[i[s]]??0))}})();
;
    </script>
  </body>
</html>
`;
