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
    "use strict";(()=>{var ht=[["µs",1],["ms",1e3],["s",1e6]],Oe=[["",1],["k",1e3],["M",1e6],["G",1e9]],ft=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Ie="–",le=3;function x(r){return B(r,ht)}var Ue=[["min",60],["h",3600]];function Ce(r){if(ue(r))return Ie;if(r>0&&r<1){let[t,n]=Ue.find(([,s])=>r*s>=1)??Ue[1],o=r*n,i=Math.round(o);return\`\${Math.abs(o-i)<.001&&i>0?i:Ne(o)} /\${t}\`}let e=B(r,Oe);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function M(r){return B(r,Oe)}function $e(r){return B(ue(r)?r:Math.round(r),ft)}function Re(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function ue(r){return r===null||Number.isNaN(r)}function B(r,e){if(ue(r))return Ie;for(let[t,[n,o]]of e.entries()){let i=o===1&&Number.isInteger(r)?String(r):Ne(r/o),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(i)*o>=s))return n===""?i:\`\${i} \${n}\`}return String(r)}function Ne(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,le-e));return Number(t)>=10**e&&e<le?r.toFixed(le-e-1):t}var T=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],De=new Map(T.map(({look:r,shape:e})=>[r,e]));function $({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return mt[e];case"closing":return"ended";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var mt={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},pt={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},O=\`:host, :root {
\${Object.entries(pt).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${T.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var W=globalThis.HTMLElement??class{};function f(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,o]of Object.entries(e.attributes??{}))t.setAttribute(n,o);return t.append(...e.children??[]),t}function y(r,e){r.textContent!==e&&(r.textContent=e)}var Pe=new Map;function R(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Pe.get(t);if(n!==void 0)return n;let o=new CSSStyleSheet;return o.replaceSync(t),Pe.set(t,o),o})}function z(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function G(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function ce(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var Ae=6e7,gt=[[],[5,3]],he=72,I=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=f("p",{class:"value",text:"–"}),this.#i=f("span",{class:"top"}),this.#n=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("figure",{class:"chart",children:[f("figcaption",{children:[f("h3",{text:e.title}),this.#e]}),f("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:o,least:i,unit:s=1}=this.#t,d=e.filter(({at:h})=>h>t-Ae&&h<=t),a=d.at(-1),l=n.map(({name:h,of:p})=>{let m=a===void 0?void 0:p(a),b=m===void 0?"not known":o(m);return h===""?b:\`\${h} \${b}\`});y(this.#e,l.join(" · "));let u=d.flatMap(h=>n.map(({of:p})=>p(h)??0)),c=yt(Math.max(i,...u)/s)*s;y(this.#i,o(c)),this.#r(d,t,c)}#r(e,t,n){let{width:o}=this.#n.getBoundingClientRect(),i=Math.min(2,devicePixelRatio),[s,d]=[Math.round(o*i),Math.round(he*i)];(this.#n.width!==s||this.#n.height!==d)&&(this.#n.width=s,this.#n.height=d);let a=this.#n.getContext("2d");if(a===null)return;let l=getComputedStyle(this.#n);a.setTransform(i,0,0,i,0,0),a.clearRect(0,0,o,he);let u=h=>(1-(t-h)/Ae)*o,c=h=>1+(1-h/n)*(he-2);a.strokeStyle=l.borderBottomColor,a.lineWidth=1;for(let h of[0,1])a.beginPath(),a.moveTo(0,c(h*n)),a.lineTo(o,c(h*n)),a.stroke();a.strokeStyle=l.color,a.lineWidth=1.75,a.lineJoin="round";for(let[h,{of:p}]of this.#t.series.entries()){a.setLineDash([...gt[h]??[]]),a.beginPath();let m=!1;for(let b of e){let w=p(b);if(w===void 0){m=!1;continue}m?a.lineTo(u(b.at),c(w)):a.moveTo(u(b.at),c(w)),m=!0}a.stroke()}a.setLineDash([])}};function yt(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var wt={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function K(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let o=vt(n);o===void 0?t++:e.push(o)}return{lines:e,damaged:t}}function vt(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(wt[t.type]??["at"]).every(o=>Number.isFinite(t[o])))&&!(t.type==="recording"&&t.version!==1))return e}function Y(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var N=class{#t;async load(e,t,n){this.stop();let{signal:o}=this.#t=new AbortController;try{let i=await fetch(e,{signal:o});if(!i.ok)throw new Error(\`the answer is \${i.status}\`);let{lines:s}=K(await i.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(i){if(o.aborted)return;n(\`Cannot show \${e}: \${i instanceof Error?i.message:String(i)}\`)}}stop(){this.#t?.abort()}};var Q=\`
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
\`,He=\`
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
\`,_e=\`
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
\`,Fe=\`
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
\`;var fe={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function me(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let o of r)if(o.type==="socket"&&o.waiting===!0)e.has(o.remote)||e.set(o.remote,o.at);else if(o.type==="begun"){let{connection:i,peer:s,at:d}=o;t.set(i,{peer:s,fromUs:e.get(s)??d,toUs:n}),e.delete(s)}else if(o.type==="over"){let i=t.get(o.connection);i!==void 0&&(i.toUs=o.at)}return[...t.values()].sort((o,i)=>o.fromUs-i.fromUs)}var xt=["computing","queue","accept","thread"],Mt=["queue","accept","thread"],Et=1e3;function pe(r,e){let t=e.map(n=>Tt(r,n));return e.map((n,o)=>{let i=t[o],d=t.filter(m=>m!==i).filter(({thread:m})=>m===i.thread),a={accept:[[n.fromUs,i.begunUs]],queue:[[i.begunUs,i.servedUs]],thread:[...d.flatMap(({busy:m})=>m),...i.awaiting],computing:i.computing,talk:[]},l=kt(n,a),u=l.filter(({doing:m})=>Mt.includes(m)),c=t.map(m=>{if(m===i)return 0;let b=d.includes(m)?m.holds:[],w=i.awaiting.flatMap(U=>Ve(U,m.computing)),g=[...b,...w];return St(u.flatMap(({fromUs:U,toUs:se})=>Ve([U,se],g)))}),h=Math.max(...c),p=h>=Et;return{stretches:l,waitedUs:p?h:0,waitedFor:p?c.indexOf(h):void 0}})}function Tt(r,e){let t=r.find(m=>m.type==="begun"&&m.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,o=r.filter(m=>"connection"in m&&m.connection===n),i=o.find(m=>m.type==="served"),s=o.find(m=>m.type==="over"),d=i?.type==="served"?i.thread:void 0,a=o.filter(m=>m.type==="span"),l=m=>a.filter(b=>b.name===m).map(({at:b,to:w})=>[b,w]),u=r.some(m=>m.type==="thread"&&m.thread===d&&m.loop===!0),c=t?.at??e.toUs,h=i?.at??c,p=u?l("turn"):[];return{begunUs:c,servedUs:h,thread:d,computing:l("computing"),awaiting:l("waiting for computing"),busy:p,holds:u?p:[[h,s?.at??e.toUs]]}}function kt({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),o=[...new Set([r,...n,e])].sort((s,d)=>s-d),i=[];for(let s=1;s<o.length;s++){let[d,a]=[o[s-1],o[s]],l=(d+a)/2,u=xt.find(h=>t[h].some(([p,m])=>p<=l&&l<m))??"talk",c=i.at(-1);c?.doing===u?i[i.length-1]={...c,toUs:a}:i.push({doing:u,fromUs:d,toUs:a})}return i}function Ve([r,e],t){return t.map(([n,o])=>[Math.max(n,r),Math.min(o,e)]).filter(([n,o])=>n<o)}function St(r){let[e,t]=[0,-1/0];for(let[n,o]of r.toSorted(([i],[s])=>i-s))e+=Math.max(0,o-Math.max(n,t)),t=Math.max(t,o);return e}var Lt=24,Ut=5,qe={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},Ot=\`
.rows { list-style: none; display: grid; gap: 0.7rem; }
.client { display: grid; grid-template-columns: minmax(5.5rem, 9rem) minmax(0, 1fr) 5rem; gap: 0 0.75rem; align-items: center; }
.name { font-weight: 600; overflow-wrap: anywhere; }
.length { text-align: right; font-variant-numeric: tabular-nums; }
.waited { grid-column: 2 / -1; color: var(--figure-faint); font-size: 0.8125em; min-height: 1.45em; }
.bar { position: relative; height: 1.25rem; border-radius: 4px; background: var(--figure-box); overflow: hidden; }
.part { position: absolute; inset-block: 0; min-width: 1px; background: currentColor; }
.part.wait { background: repeating-linear-gradient(-45deg, currentColor 0 4px, transparent 4px 7px); }
.part.talk { inset-block: 40%; }
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
\`,j=class extends W{static observedAttributes=["src","data-title","names"];#t=[];#e;#i=[];#n;#r;#u=new N;get lines(){return this.#t}set lines(e){this.#t=e,this.#o()}get visits(){return this.#e}set visits(e){this.#e=e,this.#o()}get names(){return this.#i}set names(e){this.#i=e,this.#o()}connectedCallback(){this.#r===void 0&&this.#s(),this.#o()}disconnectedCallback(){this.#u.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#c(n),e==="names"&&(this.names=G(n)),e==="data-title"&&this.#o()}async#c(e){await this.#u.load(e,t=>this.lines=t,t=>this.#r?.replaceChildren(f("p",{class:"note",text:t})))}#s(){let e=this.attachShadow({mode:"open"});R(e,O,Q,Ot),this.#n=f("h2"),this.#r=f("div",{class:"rows-and-scale"}),e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"Who waited for whom"},children:[f("div",{class:"head",children:[this.#n]}),this.#r,Nt()]}))}#o(){if(this.#r===void 0||this.#n===void 0)return;let e=this.getAttribute("data-title")??"";y(this.#n,e),this.#n.parentElement.hidden=e==="";let t=Y(this.#t).filter(c=>c.type!=="recording"),n=this.#e??me(t);if(n.length===0){this.#t.length>0&&this.#r.replaceChildren(f("p",{class:"note",text:"No client has come."}));return}let o=n.slice(0,Lt),i=pe(t,o),s=Math.min(...o.map(({fromUs:c})=>c)),d=Math.max(s+1,...o.map(({toUs:c})=>c)),a=c=>this.#i[c]??\`client \${c+1}\`,l=o.map((c,h)=>It(c,i[h],{name:a,index:h,fromUs:s,lengthUs:d-s})),u=[f("ul",{class:"rows",children:l}),$t(d-s)];if(n.length>o.length){let c=\`\${n.length-o.length} more clients are not drawn.\`;u.push(f("p",{class:"note",text:c}))}this.#r.replaceChildren(...u)}};function It({fromUs:r,toUs:e},t,n){let o=f("div",{class:"bar",attributes:{"aria-hidden":"true"},children:t.stretches.map(i=>{let s=f("span",{class:Be(i.doing)});return s.style.left=\`\${(i.fromUs-n.fromUs)/n.lengthUs*100}%\`,s.style.width=\`\${(i.toUs-i.fromUs)/n.lengthUs*100}%\`,s.title=\`\${fe[i.doing]}: \${x(i.toUs-i.fromUs)}\`,s})});return f("li",{class:"client",children:[f("span",{class:"name",text:n.name(n.index)}),o,f("span",{class:"length",text:x(e-r)}),f("span",{class:"waited",text:Ct(t,n.name)})]})}function Ct({stretches:r,waitedFor:e,waitedUs:t},n){let o=r.reduce((d,{doing:a,fromUs:l,toUs:u})=>d+(a==="computing"?u-l:0),0),i=o>=1?\`the server computed \${x(o)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${x(t)} for \${n(e)}\`,i].filter(d=>d!=="").join("; ")}function Be(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${qe[r]}\`}function $t(r){let e=r/Ut,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(i=>i*t).find(i=>i>=e)??e,o=[];for(let i=0;i<=r;i+=n){let s=f("span",{text:i===0?"0":Rt(i)});s.style.left=\`\${i/r*100}%\`,o.push(s)}return f("div",{class:"scale",attributes:{"aria-hidden":"true"},children:o})}function Rt(r){return x(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function Nt(){return f("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(qe).map(r=>f("li",{children:[f("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[Dt(r)]}),f("span",{class:"words",text:fe[r]})]}))})}function Dt(r){let e=f("span",{class:Be(r)});return e.style.left="0",e.style.width="100%",e}z("client-timeline",j);function We(){let r=(h,p,m="")=>f("button",{class:m,text:h,attributes:{type:"button",...p!==void 0&&{"aria-label":p,title:p}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),o=r("+","Faster (+)","small"),i=f("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),d=r("Step ▸","Step on to what happens next (.)"),a=f("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),l=f("output"),u=f("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:f("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,d,f("span",{class:"speed",children:[n,i,o]}),f("span",{class:"time",children:[a,l]}),f("label",{children:[f("span",{text:"Follow #"}),u]})]}),play:e,live:t,slower:n,faster:o,speed:i,back:s,step:d,time:a,moment:l,follow:u}}function ze(){return f("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:T.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>f("li",{children:[f("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),f("span",{class:"words",text:t})]}))})}var Ge=100;function ge({place:r,thread:e},{threads:t}){return r!=="thread"?r:t.find(({number:n})=>n===e)?.name??"a thread"}function ye(r,e){let t=T.find(({look:s})=>s===$(r))?.words??r.doing,{task:n,waitsFor:o}=r,i=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${i}\${o===void 0?"":\`, for \${e(o)}\`}\`}var X=class{root;#t;#e=f("tbody");#i=f("tbody");constructor(e,t){this.#t=e;let n=["Where","Connections","What happens there"],o=["Connection","From","Where","What it does","Since"];this.root=f("details",{children:[f("summary",{text:"The same as a table"}),f("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[Ke("Where connections are",n,this.#e),Ke("Connections",o,this.#i)]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;Ye(this.#e,this.#n(e).slice(0,Ge));let{dots:t,us:n}=e,o=t.slice(0,Ge).map(s=>[s.connection===void 0?"not accepted yet":this.#t(s.connection),s.peer,ge(s,e),ye(s,this.#t),x(Math.max(0,n-s.sinceUs))]),i=t.length-o.length;Ye(this.#i,i>0?[...o,[\`and \${i} more\`,"","","",""]]:o)}#n(e){let{dots:t,threads:n,listeners:o,hasHandOver:i,queued:s,totals:d}=e,a=c=>t.filter(h=>h.place===c).length,l=o.map(({waiting:c,limit:h})=>\`\${c??"?"} of \${h??"?"}\`),u=["Hand-over queue",String(a("hand-over queue")),\`counted: \${s??"?"}\`];return[["Accept queue",l.join(", ")||"not known",\`\${a("accept queue")} seen there\`],...i?[u]:[],...n.filter(({kind:c})=>c!=="other").map(c=>[c.name,String(c.dots.length),this.#r(c,e)]),...Object.entries(d.endings).map(([c,h])=>[\`Ended: \${c}\`,String(h),"since the picture began"])]}#r({activity:e,isLoop:t,turns:n},{us:o}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:i,task:s,connection:d,sinceUs:a}=e,l=d===void 0?"":\` for \${this.#t(d)}\`,u=x(Math.max(0,o-a));return\`\${i}\${s===void 0?"":\` \${s}\`}\${l}, \${u}\`}};function Ke(r,e,t){let n=e.map(o=>f("th",{text:o,attributes:{scope:"col"}}));return f("table",{children:[f("caption",{text:r}),f("thead",{children:[f("tr",{children:n})]}),t]})}function Ye(r,e){r.replaceChildren(...e.map(t=>f("tr",{children:t.map(n=>f("td",{text:n}))})))}var D=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],J=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?D.find(n=>n>this.speed):D.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},Pt=3e5,At=1e-4,_=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*At;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-Pt}};function F(r,e,t){let[n,o]=[0,r.length];for(;n<o;){let i=n+o>>1;e(r[i])<=t?n=i+1:o=i}return n}function be(r,e,t){let n=e(t),o=r.length;for(;o>0&&e(r[o-1])>n;)o--;return o===r.length?r.push(t):r.splice(o,0,t),o}var P=({at:r})=>r,Qe=r=>r,k=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=be(this.#e,P,e),n=t-1,o=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,o);for(let i=t;i<this.#e.length;i++)this.#i[i]=o,o+=this.#t(this.#e[i])}find(e){let t=this.#e[F(this.#e,P,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[F(this.#e,P,e)-1]}weightAt(e){let t=F(this.#e,P,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:i})=>i>=e),n=t<0?this.#e.length:t;if(n===0)return;let o=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(o),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},S=class{#t=[];add(e,t){be(this.#t,P,{at:e,value:t})}get all(){return this.#t}countAt(e){return F(this.#t,P,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},A=class{#t=[];#e=0;add(e){be(this.#t,Qe,e)}countAt(e){return this.#e+F(this.#t,Qe,e)}forget(e){let t=this.#t.findIndex(o=>o>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};var Z=class{number;name;isLoop=!1;presence=new S;computing=new k;writing=new k;turns=new k(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return V("computing",t);if(n!==void 0)return V("writing",n);let{open:o}=this;if(o!==void 0&&o.at<=e&&e<o.to){if(o.what==="computing"||o.what==="writing")return V(o.what,o);if(o.what==="turn")return V("turn",o)}let i=this.turns.find(e);return i&&V("turn",i)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function V(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var we=1e3;function je(r,e,t){let n=r.activityAt(e);if(r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=we))for(let i of t)i.doing!=="reading"||i.connection===n.connection||(i.doing="waiting for the loop",i.waitsFor=n.connection,i.sinceUs=Math.max(i.sinceUs,n.sinceUs));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var ee=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;over;computing=new k;awaiting=new k;writing=new k;open;constructor(e,t){this.id=e,this.peer=t}get fromUs(){return Math.min(this.seenUs,this.begunUs,this.inQueue?.at??1/0)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get accepting(){let e=Math.min(this.leftUs,this.begunUs,this.goneUs,this.inQueue?.at??1/0);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}endUs(e){return this.begunUs===1/0?this.goneUs:this.overUs===1/0?1/0:this.goneUs<1/0?Math.max(this.overUs,this.goneUs):e?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.endUs(t),o=e>=this.overUs||e>=n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=o?this.over?.outcome:void 0,this.failure=o?this.over?.failure:void 0,this.ending=e>=n?this.endedWith??"unknown":void 0,e>=n?this.#t("ended",n):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{queued:t}=this,n=t===void 0?this.servedUs===1/0:t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing.find(e)??ve(t,"computing",e),o=this.awaiting.find(e)??ve(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let i=o??n;if(i!==void 0)return this.#n("waiting for computing",i);let s=this.writing.find(e)??ve(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading";let d=[this.computing,this.awaiting,this.writing].map(a=>a.last(e)?.to);this.sinceUs=Math.max(this.servedUs,...d.map(a=>a??0))}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function ve(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var Ht=7e5,_t=.1,Ft=["done","cut","empty","failed","unknown"],Vt=["FIN","RST","unknown"],et={fin:"FIN",reset:"RST",unknown:"unknown"},C=class{header;isFinished=!1;#t;#e=new Map;#i=new Map;#n=[];#r=new Map;#u=new Map;#c=new Map;#s=new Map;#o=new A;#f=new Map(Ft.map(e=>[e,new A]));#d=new Map(Vt.map(e=>[e,new A]));#a=new S;#y=new S;#b=new S;#m=new Map;#E=!1;#x=!1;#T=0;#h=1/0;#g=0;#w=0;#v=[];#k=0;#U=-1/0;#S=0;#p=!0;#R;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#h===1/0?0:this.#h,this.#w)}get toUs(){return this.#g}get firstUs(){let e=this.#n.reduce((t,{fromUs:n})=>Math.min(t,n),1/0);return e===1/0?void 0:e}get figures(){return this.#y.all.map(({value:e})=>e)}get dots(){return this.#P(),this.#n}add(e){for(let n of e)this.#O(n);this.#p=!1,this.#R=void 0;let t=this.#g-this.#t;t-this.#w>this.#t*_t&&this.#_(t)}at(e,t=0){this.#H(e,t);let n=this.#v,o=new Map;for(let a of n){if(a.look(e,this.#E),a.place!=="thread"||a.server===void 0)continue;let l=o.get(a.server);l===void 0?o.set(a.server,[a]):l.push(a)}let i=[];for(let a of this.#e.values()){let l=o.get(a.number)??[];a.presence.at(e)!==!0&&l.length===0||i.push(je(a,e,l))}qt(n,i);let s=this.#a.at(e),d=s?.queued;return{us:e,dots:n,threads:i.sort((a,l)=>a.number-l.number),listeners:[...this.#i.values()].map(({local:a,course:l})=>{let{waiting:u,limit:c}=l.at(e)??{};return{local:a,waiting:u,limit:c}}),hasHandOver:this.#x||i.some(({kind:a})=>a==="accepts"),queued:d,totals:{begun:this.#o.countAt(e),outcomes:Ze(this.#f,e),endings:Ze(this.#d,e)},counters:s,figures:this.#y.at(e),leftOut:new Map([...this.#m].map(([a,l])=>[a,l.at(e)??0])),isPartial:e-(this.#m.get("connections")?.last(e)?.at??-1/0)<Ht,note:this.#b.at(e)}}lifeOf(e){let t=this.#r.get(e);return t===void 0?[]:Xe(this.#F(t))}happenings(){return this.#R??=Xe(this.#n.flatMap(e=>this.#F(e)))}#O(e){if(e.type==="recording"){this.header=e;return}switch(this.#h=Math.min(this.#h,e.at),this.#g=Math.max(this.#g,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#I(e);case"begun":return this.#A(e);case"queued":{this.#x=!0;let t=this.#r.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#r.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#f.get(e.outcome)?.add(e.at);let t=this.#r.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#N(e);case"doing":return this.#C(e);case"socket":return this.#D(e);case"connection":return this.#l(e);case"listener":{let t=e.cookie??e.local,n=this.#i.get(t)??{local:e.local,course:new S};this.#i.set(t,n),n.course.add(e.at,e);return}case"counters":this.#a.add(e.at,e.values);return;case"figures":this.#y.add(e.at,e);return;case"note":this.#b.add(e.at,e.text);return;case"left_out":{let t=this.#m.get(e.what)??new S;this.#m.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count);return}case"end":this.isFinished=!0}}#I({thread:e,name:t,loop:n,gone:o,at:i}){let s=this.#e.get(e)??new Z(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(i,o!==!0),o===!0&&(s.open=void 0)}#A(e){let{at:t,connection:n,peer:o,cookie:i,by:s}=e;this.#o.add(t);let a=(i===void 0?void 0:this.#c.get(i))??this.#u.get(o),u=a!==void 0&&a.connection===void 0&&t<a.goneUs?a:this.#L(o);u.connection=n,u.begunUs=t,u.isOwn=s==="page",this.#r.set(n,u),i!==void 0&&this.#c.set(i,u);let c=this.#s.get(o);c!==void 0&&(this.#s.delete(o),c.at>=t&&Je(u,c))}#L(e){let t=new ee(++this.#T,String(e));return this.#n.push(t),this.#u.set(e,t),t}#N(e){let{name:t,at:n,to:o,thread:i,task:s}=e,d=i===void 0?void 0:this.#e.get(i);d?.open!==void 0&&d.open.at<o&&(d.open=void 0);let a=e.connection===void 0?void 0:this.#r.get(e.connection);a?.open!==void 0&&a.open.at<o&&(a.open=void 0);let l={at:n,to:o,thread:i,task:s};switch(t){case"computing":d?.computing.add(e),a?.computing.add(l);return;case"waiting for computing":a?.awaiting.add(l);return;case"writing":d?.writing.add(e),a?.writing.add(l);return;case"turn":case"turns":d?.turns.add(e)}}#C(e){let{at:t,thread:n,connection:o,peer:i,what:s,task:d}=e;if(i!==void 0)return this.#$(i,t,s!==void 0);let a=n===void 0?void 0:this.#e.get(n);if(s===void 0){let u=a===void 0?o:a.open?.connection;a?.open!==void 0&&(a.open={...a.open,to:t});let c=this.#r.get(u??0);c?.open!==void 0&&(c.open={...c.open,to:t});return}a!==void 0&&(a.open={...e,to:1/0});let l=this.#r.get(o??0);l!==void 0&&(l.open={at:t,to:1/0,thread:n,task:d,what:s})}#$(e,t,n){this.#x=!0;let o=this.#M(e,t);if(n){let i=o?.connection===void 0&&o!==void 0?o:this.#L(e);i.inQueue={at:t,to:1/0}}else o?.inQueue!==void 0&&(o.inQueue={...o.inQueue,to:t})}#D({at:e,cookie:t,remote:n,state:o,end:i,waiting:s}){if(i==="client")return;this.#E=!0;let d=this.#c.get(t)??this.#M(n,e);if(o==="CLOSE"){if(this.#c.delete(t),d===void 0)return;d.goneUs=Math.min(d.goneUs,e),d.leftUs=Math.min(d.leftUs,e);return}s===!0?(d??=this.#L(n),d.seenUs=Math.min(d.seenUs,e)):d!==void 0&&d.seenUs<e&&(d.leftUs=Math.min(d.leftUs,e)),d!==void 0&&this.#c.set(t,d)}#M(e,t){let n=this.#u.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#l(e){this.#d.get(et[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#c.get(e.cookie))??this.#u.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?Je(n,e):this.#s.set(e.remote,e)}#P(){this.#p||(this.#n.sort((e,t)=>e.fromUs-t.fromUs),this.#p=!0,this.#U=1/0)}#H(e,t){this.#P();let n=e>=this.#U&&t===this.#S;n||(this.#v=[],this.#k=0);let o=i=>i.endUs(this.#E)+t<=e;for(n&&(this.#v=this.#v.filter(i=>!o(i)));this.#k<this.#n.length;this.#k++){let i=this.#n[this.#k];if(i.fromUs>e)break;o(i)||this.#v.push(i)}this.#U=e,this.#S=t}#_(e){this.#w=e;let t=({doneUs:n})=>n<e;this.#n=this.#n.filter(n=>t(n)?(n.connection!==void 0&&this.#r.delete(n.connection),this.#u.get(n.peer)===n&&this.#u.delete(n.peer),!1):!0);for(let[n,o]of this.#c)t(o)&&this.#c.delete(n);for(let[n,{at:o}]of this.#s)o<e&&this.#s.delete(n);for(let n of this.#n)n.computing.forget(e),n.awaiting.forget(e),n.writing.forget(e);for(let[n,o]of this.#e){o.forget(e);let{all:i}=o.presence;i.length===1&&i[0]?.value===!1&&i[0].at<e&&this.#e.delete(n)}for(let{course:n}of this.#i.values())n.forget(e);for(let n of[this.#o,...this.#f.values(),...this.#d.values()])n.forget(e);for(let n of[this.#a,this.#y,this.#b,...this.#m.values()])n.forget(e);this.#p=!1}#F(e){let t=[],n=c=>this.#e.get(c??0)?.name??"a thread",{connection:o,peer:i,queued:s,accepting:d}=e,a=o===void 0?i:\`#\${o}\`,l=(c,h)=>t.push({us:c,text:h,connection:o});d!==void 0&&l(d.at,\`\${a} is in the accept queue\`),e.begunUs<1/0&&l(e.begunUs,\`\${a} is accepted\`),s!==void 0&&l(s.at,\`\${a} waits in the hand-over queue\`),e.servedUs<1/0&&l(e.servedUs,\`\${n(e.server)} begins to serve \${a}\`);for(let{at:c,to:h,task:p,thread:m}of e.computing.all){let b=p===void 0?"":\` \${p}\`;l(c,\`\${n(m)} begins to compute\${b} for \${a}\`),l(h,\`\${n(m)} has computed\${b} for \${a}\`)}for(let{at:c,to:h}of e.awaiting.all)l(c,\`\${a} waits while another thread computes\`),l(h,\`\${a} has the result\`);for(let{at:c,to:h}of e.writing.all)l(c,\`\${a} waits for its peer to take what was sent\`),l(h,\`the peer of \${a} has taken it\`);if(e.over!==void 0){let{outcome:c,failure:h}=e.over,p=h===void 0?"":\`, \${h}\`;l(e.overUs,\`\${a} is over: \${c}\${p}\`)}let u=e.endUs(!0);return u<1/0&&e.endedWith!==void 0&&l(u,\`\${a} has ended with \${e.endedWith}\`),t}};function Xe(r){return r.toSorted((e,t)=>e.us-t.us)}function Je(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=et[t]??"unknown"}function Ze(r,e){let t=[...r].map(([n,o])=>[n,o.countAt(e)]);return Object.fromEntries(t)}function qt(r,e){let t=s=>{let d=e.filter(a=>a.kind===s);return d.length===1?d[0]:void 0},n=t("serves"),o=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,i=t("computes")?.activity?.connection;for(let s of r){let{place:d,doing:a,connection:l}=s;d==="accept queue"||d==="hand-over queue"?s.waitsFor=o:a==="waiting for computing"&&l!==i&&(s.waitsFor=i)}}var tt=90,Bt=2e3,Wt=4,zt=9,te=class{#t=new Map;#e=new Map(T.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,o]=[!1,!1];for(let i of e){let s=this.#t.get(i);if(s===void 0){n=!0,this.#t.set(i,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:i,look:$(i),place:i.place,thread:i.thread});continue}s.round=t;let d=$(i);o||=d!==s.look||i.place==="ended",s.look=d,!(s.place===i.place&&s.thread===i.thread)&&(n=!0,s.place=i.place,s.thread=i.thread)}if(this.#t.size>e.length){for(let[i,s]of this.#t)s.round!==t&&this.#t.delete(i);n=!0}return{hasMoved:n,hasChanged:o||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},o){let i=this.#t.get(e);i!==void 0&&(i.toX=t,i.toY=n,Number.isNaN(i.x)&&(i.x=t+o.x,i.y=n+o.y))}move(e,t){let n=t?1:1-Math.exp(-e/tt),o=!1;for(let i of this.#t.values()){let[s,d]=[i.toX-i.x,i.toY-i.y];n===1||Math.abs(s)+Math.abs(d)<.4?(i.x=i.toX,i.y=i.toY):(i.x+=s*n,i.y+=d*n,o=!0),!(i.alpha>=1)&&(i.alpha=Math.min(1,t?1:i.alpha+e/(2*tt)),o=!0)}return o}get isLarge(){return this.#t.size>Bt}nearest({x:e,y:t},n){let[o,i]=[void 0,n*n];for(let s of this.#t.values()){let d=(s.x-e)**2+(s.y-t)**2;d>i||([o,i]=[s,d])}return o?.dot}draw(e,t){let{radius:n,colours:o}=t;for(let i of this.#e.values())i.length=0;for(let i of this.#t.values())Number.isNaN(i.x)||this.#e.get(i.look)?.push(i);for(let[i,s]of this.#e){if(s.length===0)continue;let d=o.get(i);n<Wt?Gt(e,s,d,n):Kt(e,s,i,d,t)}e.globalAlpha=1;for(let i of this.#t.values())t.isFollowed(i.dot)&&(e.strokeStyle=o.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(i.x,i.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function Gt(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let o=2*n;for(let{x:i,y:s}of e)r.fillRect(i-n,s-n,o,o);return}r.beginPath();for(let{x:o,y:i}of e)r.moveTo(o+n,i),r.arc(o,i,n,0,2*Math.PI);r.fill()}function Kt(r,e,t,n,{radius:o,colours:i,letterOf:s,shareOf:d,font:a}){let l=De.get(t),u=i.get("well"),c=Math.max(1.5,o*.26);r.lineWidth=c,r.strokeStyle=n,r.font=a,r.textAlign="center",r.textBaseline="middle";for(let h of e){let{x:p,y:m,dot:b}=h;if(r.globalAlpha=h.alpha*d(b),r.beginPath(),l==="cross"){let w=o*.7;r.moveTo(p-w,m-w),r.lineTo(p+w,m+w),r.moveTo(p+w,m-w),r.lineTo(p-w,m+w),r.stroke();continue}r.arc(p,m,l==="ring"?o-c/2:o,0,2*Math.PI),r.fillStyle=l==="ring"?u:n,r.fill(),l==="ring"&&r.stroke(),!(o<zt)&&(r.fillStyle=l==="ring"?n:u,r.fillText(s(b),p,m+.5))}r.globalAlpha=1}function xe({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var Yt=Math.PI*(3-Math.sqrt(5));function it(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function ot({width:r,height:e},t,n){let o=n*2.6,i=Math.min(o,Math.sqrt(r*e/Math.max(1,t)));for(;i>.5&&Math.max(1,Math.floor(r/i))*Math.max(1,Math.floor(e/i))<t;)i*=.97;return i}function rt(r,e,t,n){let o=ot(r,e,t),{x:i,y:s,width:d,height:a}=r;if(n){let u=Math.max(1,Math.floor(d/o));return c=>({x:i+o*(c%u+.5),y:s+a-o*(Math.floor(c/u)+.5)})}let l=Math.max(1,Math.floor(a/o));return u=>({x:i+d-o*(Math.floor(u/l)+.5),y:s+o*(u%l+.5)})}function q(r,e,t){let n=ot(r,e,t),o=Math.max(1,Math.floor(r.width/n));return i=>({x:r.x+n*(i%o+.5),y:r.y+n*(Math.floor(i/o)+.5)})}function Me({x:r,y:e,width:t,height:n},o){let i=Math.max(4,Math.min(t,n)/2-o-3);return{x:r+t/2,y:e+n/2,radius:i}}function st(r,e,t){let n=Math.floor(2*Math.PI*r.radius/(t*2.6)),o=2**Math.floor(Math.log2(Math.max(1,n)));if(e<=o)return s=>nt(r,r.radius,2*Math.PI*Qt(s)-Math.PI/2);let i=2**Math.ceil(Math.log2(e));return s=>{let d=Math.sqrt(.06+.94*(s+.5)/i);return nt(r,r.radius*d,s*Yt)}}function nt({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function Qt(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var H=class{#t=new Map;#e=[];#i=0;get size(){return this.#i}keep(e){let t=new Set(e);for(let[n,o]of this.#t)t.has(n)||(this.#t.delete(n),this.#e.push(o));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((n,o)=>o-n);for(let n of e)this.#t.has(n)||this.#t.set(n,this.#e.pop()??this.#i++)}of(e){return this.#t.get(e)??0}};var jt=32,Xt=720,Jt=100,Zt=64,en=70,at={closing:["Closing","not over yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]},ie=class{root;canvas;#t;#e;#i;#n;#r;#u;#c;#s;#o=new te;#f;#d=new Map;#a;#y="";#b=new Map;#m=!1;#E=!1;#x=new Map;#T=-1/0;#h=10;#g="";#w=!0;followed;lingerUs=7e5;constructor(e){this.#f=e;let t=f("div",{class:"fill"}),n=ne("accept","Accept queue","in the kernel");n.count.after(f("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t},this.#i=ne("handover","Hand-over queue","in the process"),this.#u=f("div",{class:"cards"}),this.#c=f("p",{class:"others"}),this.#r=f("p",{class:"who"});let o=f("h3",{text:"Threads"});this.#n={root:f("section",{class:"box threads",children:[o,this.#r,this.#u,this.#c]}),title:o},this.#s=new Map(Object.keys(at).map(s=>{let d=ne(\`end \${s.toLowerCase()}\`,...at[s]);return[s,{...d,slots:new H}]}));let i=f("div",{class:"ends",children:[...this.#s.values()].map(({root:s})=>s)});this.#t=f("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,i]}),this.canvas=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#m=!1,this.#w=!0,this.#T=-1/0}hit(e){return this.#o.nearest(e,Math.max(14,this.#h+4))}show(e,t,n){let o=performance.now();this.#k(e)&&this.refresh(),o-this.#T>=Jt&&(this.#T=o,this.#U(e)),this.#m||this.#O();let{hasMoved:i,hasChanged:s}=this.#o.keep(e.dots);(i||this.#w)&&this.#A(e);let d=this.#o.move(t,n),a=this.#D(e,t,n),l=this.#v(e);return(s||d||a||this.#w||l!==this.#g)&&this.#M(e),this.#g=l,this.#w=!1,d||a}#v({threads:e}){return e.map(({activity:t,isLoop:n,kind:o})=>t!==void 0&&(n||o==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#o.isLarge}#k({threads:e,hasHandOver:t,totals:n}){let o=e.filter(({kind:g})=>g==="serves"||g==="computes"),i=o.filter(({isLoop:g})=>g),s=o.filter(({isLoop:g})=>!g),d=s.length>jt,a=d?i:[...i,...s],l=e.filter(({kind:g})=>g!=="serves"&&g!=="computes"),{unknown:u}=n.endings,c=JSON.stringify([t,d,u>0,a.map(({number:g,name:U})=>[g,U]),l.map(({name:g})=>g)]);if(c===this.#y)return!1;this.#y=c,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);let h=new Map(this.#d);this.#d.clear();for(let g of a)this.#d.set(g.number,h.get(g.number)??tn(g));let p=[...this.#d.values()].map(({root:g})=>g);d?(this.#a??={...ne("dense","",""),slots:new H},p.push(this.#a.root)):this.#a=void 0,this.#u.replaceChildren(...p),this.#u.classList.toggle("one",a.length===1&&!d);let m=i.length===0,b=a.some(({name:g})=>g.startsWith("process"));y(this.#n.title,m?b?"Processes":"Threads":i.length===1?"Event loop":"Event loops");let w=l.map(({name:g})=>g).join(", ");return y(this.#c,w===""?"":\`also there: \${w}\`),this.#c.hidden=w==="",!0}#U(e){let{listeners:t,dots:n,queued:o,totals:i,threads:s,us:d}=e,a=v=>n.reduce((E,de)=>E+(de.place===v?1:0),0),l=t.filter(({waiting:v})=>v!==void 0),u=l.reduce((v,{waiting:E=0})=>v+E,0),c=l.reduce((v,{limit:E=0})=>v+E,0);y(this.#e.count,l.length===0?"not known":\`\${u} of \${c}\`),this.#e.gauge.style.width=\`\${c===0?0:Math.min(100,u/c*100)}%\`,this.#S(this.#e,"accept queue",n),this.#S(this.#i,"hand-over queue",n);let h=a("hand-over queue");y(this.#i.count,String(Math.max(h,o??0)));for(let v of s){let E=this.#d.get(v.number);if(E===void 0)continue;let{root:de,what:Se}=E,Le=this.#R(v,d);y(Se,Le),Se.title=Le,de.dataset.state=nn(v)}let p=s.filter(({kind:v})=>v==="serves"),m=p.reduce((v,{dots:E})=>v+E.length,0),b=p.filter(({dots:v})=>v.length>0).length;this.root.classList.toggle("partial",e.isPartial);let w=e.counters?.live;if(y(this.#r,e.isPartial&&w!==void 0?\`the server counts \${Ee(w,"connection")}, too many come and go to draw each\`:p.some(({isLoop:v})=>v)?\`\${Ee(m,"connection")} in turns\`:\`\${M(b)} of \${M(p.length)} \${b===1?"serves":"serve"}\`),this.#a!==void 0){let v=p.filter(({activity:E})=>E?.what==="computing").length;y(this.#a.count,\`\${M(p.length)} threads: \${M(v)} compute, \${M(b-v)} wait for peers, \${M(p.length-b)} are free\`)}let{endings:g,outcomes:U}=i,se=Object.values(U).reduce((v,E)=>v+E,0),ke=g.FIN+g.RST+g.unknown;y(this.#p("closing").count,String(a("closing"))),y(this.#p("FIN").count,M(g.FIN)),y(this.#p("RST").count,M(g.RST));let ae=g.unknown+(ke===0?se:0);y(this.#p("unknown").count,M(ae));let ct=ke>0||ae===0;for(let v of["closing","FIN","RST"])this.#p(v).root.hidden=!ct;this.#p("unknown").root.hidden=ae===0}#S({whom:e},t,n){let o=n.find(i=>i.place===t)?.waitsFor;y(e,o===void 0?"":\`for \${this.#f.nameOf(o)}\`)}#p(e){return this.#s.get(e)}#R({activity:e,dots:t,isLoop:n,turns:o,kind:i},s){let{nameOf:d}=this.#f,a=e?.connection===void 0?"":\` for \${d(e.connection)}\`,l=e===void 0?"":x(Math.max(0,s-e.sinceUs));if(e?.what==="computing"){let h=e.task===void 0?"":\` \${e.task}\`;return n?\`stands still: computes\${h}\${a} · \${l}\`:\`computes\${h}\${a} · \${l}\`}if(n&&e!==void 0&&s-e.sinceUs>=we)return\`stands still: a turn\${a} · \${l}\`;if(n)return\`\${Ee(t.length,"connection")} · \${M(o)} \${o===1?"turn":"turns"}\`;if(i==="computes")return"free";let[u]=t;if(u===void 0)return"free";let c=u.connection===void 0?u.peer:d(u.connection);return u.doing==="writing"?\`waits until \${c} takes what was sent\`:\`waits for \${c} to send\`}#O(){this.#m=!0;let e=this.root.getBoundingClientRect(),t=u=>{let{x:c,y:h,width:p,height:m}=u.getBoundingClientRect();return{x:c-e.x,y:h-e.y,width:p,height:m}};this.#E=e.width<Xt,this.#b=new Map;let n=[this.#e,this.#i,...this.#s.values()].map(({well:u})=>u);this.#a!==void 0&&n.push(this.#a.well);for(let u of n)this.#b.set(u,t(u));for(let u of this.#d.values())u.rectangle=t(u.well);let o=Math.min(2,devicePixelRatio),[i,s]=[Math.round(e.width*o),Math.round(e.height*o)];(this.canvas.width!==i||this.canvas.height!==s)&&(this.canvas.width=i,this.canvas.height=s);let d=getComputedStyle(this.root),a=f("i",{class:"probe"});this.root.append(a);let l=[...T.map(({look:u})=>u),"well","accent","line","faint"];this.#x=new Map(l.map(u=>(a.style.color=\`var(--figure-\${u})\`,[u,getComputedStyle(a).color]))),a.remove(),this.#I=\`600 10px \${d.fontFamily}\`}#I="600 10px sans-serif";#A(e){let{dots:t,threads:n}=e;this.#h=it(t.length);let o=this.#h,i=new Map;for(let u of t){let c=u.place==="ended"?u.ending:u.place,h=i.get(c);h===void 0?i.set(c,[u]):h.push(u)}let s=this.#E?{x:0,y:-18}:{x:-18,y:0},d=(u,c)=>u.sinceUs-c.sinceUs||u.id-c.id,a=(u,{well:c})=>{let h=rt(this.#$(c),u.length,o,this.#E);u.sort(d).forEach((p,m)=>this.#o.send(p,h(m),s))};a(i.get("accept queue")??[],this.#e);let l=!this.#i.root.hidden;l&&a([...i.get("hand-over queue")??[],...i.get("taken")??[]],this.#i);for(let u of n)this.#N(u,s);if(this.#a!==void 0&&this.#C(n,s),!l){let{x:u,y:c,height:h}=this.#L();for(let p of[...i.get("hand-over queue")??[],...i.get("taken")??[]])this.#o.send(p,{x:u-o,y:c+h/2},s)}for(let[u,{well:c,slots:h}]of this.#s){let p=i.get(u)??[];h.keep(p);let m=q(this.#$(c),Math.max(1,h.size),o);for(let b of p)this.#o.send(b,m(h.of(b)),s)}}#L(){return[...this.#d.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#N({number:e,dots:t,isLoop:n},o){let i=this.#d.get(e);if(i===void 0)return;let{rectangle:s,slots:d}=i;d.keep(t);let a=this.#h,l=n?st(Me(s,a),d.size,a):q(s,Math.max(1,d.size),a);for(let u of t)this.#o.send(u,l(d.of(u)),o)}#C(e,t){if(this.#a===void 0)return;let{well:n,slots:o}=this.#a,i=e.filter(({number:d,kind:a})=>a==="serves"&&!this.#d.has(d));o.keep(i.map(({number:d})=>d));let s=q(this.#$(n),Math.max(1,o.size),this.#h);for(let{number:d,dots:a}of i)for(let l of a)this.#o.send(l,s(o.of(d)),t)}#$(e){return this.#b.get(e)??{x:0,y:0,width:1,height:1}}#D({threads:e,dots:t},n,o){let i=!1;for(let{number:s,isLoop:d,activity:a,turns:l,lastTurn:u,dots:c}of e){let h=d?this.#d.get(s):void 0;if(h===void 0)continue;let p=a?.connection??u,m=p===void 0?void 0:c.find(({connection:g})=>g===p),b=m&&this.#o.find(m);if(b!==void 0){let g=xe(h.rectangle);h.toAngle=Math.atan2(b.toY-g.y,b.toX-g.x)}else l!==h.turns&&(h.toAngle+=(l-h.turns)*2*Math.PI/Math.max(8,c.length));h.turns=l;let w=on(h.toAngle-h.angle);o||Math.abs(w)<.01?h.angle=h.toAngle:(h.angle+=w*(1-Math.exp(-n/en)),i=!0)}return i&&t.length>0}#M(e){let t=this.canvas.getContext("2d");if(t===null)return;let{width:n}=this.root.getBoundingClientRect(),o=this.canvas.width/Math.max(1,n);t.setTransform(o,0,0,o,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let d of e.threads)d.isLoop&&this.#P(t,d);this.#H(t,e.threads),this.#_(t,e);let{lingerUs:i,followed:s}=this;this.#o.draw(t,{radius:this.#h,colours:this.#x,font:this.#I,letterOf:this.#f.letterOf,isFollowed:({connection:d})=>s!==void 0&&d===s,shareOf:({place:d,sinceUs:a})=>d==="ended"?Math.max(0,1-(e.us-a)/i):1})}#l(e){return this.#x.get(e)??"gray"}#P(e,{number:t,activity:n}){let o=this.#d.get(t);if(o===void 0)return;let{x:i,y:s,radius:d}=Me(o.rectangle,this.#h),a=n?.what==="computing";e.lineWidth=a?2.5:1.5,e.strokeStyle=this.#l(a?"computing":"line"),e.beginPath(),e.arc(i,s,d,0,2*Math.PI),e.stroke();let l=Math.max(4,d-this.#h-6);e.strokeStyle=this.#l(a?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=a?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(i,s),e.lineTo(i+l*Math.cos(o.angle),s+l*Math.sin(o.angle)),e.stroke(),e.beginPath(),e.arc(i,s,a?6:4,0,2*Math.PI),e.fill()}#H(e,t){if(this.#a===void 0)return;let{well:n,slots:o}=this.#a,i=q(this.#$(n),Math.max(1,o.size),this.#h),s=Math.max(2,this.#h*2.2);e.strokeStyle=this.#l("line"),e.lineWidth=1;for(let{number:d,kind:a}of t){if(a!=="serves"||this.#d.has(d))continue;let{x:l,y:u}=i(o.of(d));e.strokeRect(l-s/2,u-s/2,s,s)}}#_(e,{threads:t,dots:n}){let o=t.filter(({kind:s,activity:d})=>s==="computes"&&d?.what==="computing").slice(0,Zt);if(o.length===0)return;let i=20;e.font=this.#I,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:d}of o){let a=this.#d.get(s);if(a===void 0||d===void 0)continue;let{x:l,y:u}=xe(a.rectangle),c=n.find(({connection:p})=>p===d.connection),h=c&&this.#o.find(c);h!==void 0&&(e.strokeStyle=this.#l("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(h.x,h.y),e.lineTo(l,u),e.stroke(),e.setLineDash([])),e.fillStyle=this.#l("computing"),e.beginPath(),e.roundRect(l-i/2,u-i/2,i,i,4),e.fill(),c!==void 0&&(e.fillStyle=this.#l("well"),e.fillText(this.#f.letterOf(c),l,u+.5))}}};function ne(r,e,t){let n=f("p",{class:"count"}),o=f("p",{class:"who whom"}),i=f("div",{class:"well"});return{root:f("section",{class:\`box \${r}\`,children:[...e===""?[]:[f("h3",{text:e})],...t===""?[]:[f("p",{class:"who",text:t})],n,o,i]}),count:n,whom:o,well:i}}function tn({number:r,name:e,isLoop:t,kind:n,turns:o}){let i=f("p",{class:"what"}),s=f("div",{class:"well"});return{root:f("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[f("h4",{text:e}),i,s]}),what:i,well:s,turns:o,slots:new H,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function nn({activity:r,dots:e,isLoop:t}){return r?.what==="computing"?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function Ee(r,e){return\`\${M(r)} \${e}\${r===1?"":"s"}\`}function on(r){return Math.atan2(Math.sin(r),Math.cos(r))}var rn=6e7,sn=700,an=12,dn=.04,ln=150,un=5e3,cn=3e3,hn=200,fn=250,oe=class extends W{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new J;#i=new _;#n=new C;#r=[];#u=new Map;#c=!1;#s=!1;#o;#f;#d;#a;#y;#b;#m;#E;#x=[];#T;#h=!0;#g=0;#w;#v=-1/0;#k=-1/0;#U="";#S="";#p=new N;get lines(){return this.#t}set lines(e){this.#t=e,this.#c=!1,this.#s=!1,this.#n=new C,this.#n.add(Y(e)),this.#I()}get names(){return this.#r}set names(e){this.#r=e,this.#N(),this.#l()}get view(){return this.#n.at(this.#e.us,this.#D)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#o?.followed}startLive(){this.#c=!0,this.#s=!0,this.#n=new C({keepUs:rn}),this.#i=new _,this.#e.goLive(),this.#I()}appendLines(e){this.#c||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#l()}stopLive(){this.#s&&(this.#s=!1,this.#e.isLive=!1,this.#l())}play(){this.#e.play(),this.#l()}pause(){this.#e.pause(),this.#l()}seek(e){this.#L(),this.#e.seek(e),this.#l()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),o=e>0?n.find(i=>i.us>t+.5):n.findLast(i=>i.us<t-.5);o!==void 0&&this.seek(o.us)}follow(e){this.#o!==void 0&&(this.#o.followed=e,this.#o.refresh(),this.#S="",this.#v=-1/0,this.#f!==void 0&&(this.#f.follow.value=e===void 0?"":String(e)),this.#l())}connectedCallback(){this.#o===void 0&&this.#H();let e=new IntersectionObserver(([i])=>{this.#h=i?.isIntersecting??!0,this.#l()});e.observe(this);let t=new ResizeObserver(()=>this.#M());t.observe(this.#o?.root);let n=new MutationObserver(()=>this.#M());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#x=[e,t,n],this.#T=new AbortController;let{signal:o}=this.#T;for(let i of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(i).addEventListener("change",()=>this.#M(),{signal:o});this.#l()}disconnectedCallback(){for(let e of this.#x)e.disconnect();this.#x=[],this.#T?.abort(),this.#p.stop(),cancelAnimationFrame(this.#g),this.#g=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#R(n),e==="names"&&(this.names=G(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#q()}async#R(e){await this.#p.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!ce()&&this.play()},t=>this.#O(t))}#O(e){this.#b!==void 0&&y(this.#b,e)}#I(){if(this.#N(),this.#q(),this.#L(),!this.#s){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let e=Number(this.getAttribute("speed"));this.#e.setSpeed(e>0?e:this.#A())}this.follow(void 0),this.#M()}#A(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/an;return D.find(o=>o>=n)??10}#L(){let e=this.#n;if(this.#c){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,o]=[t[0],t.at(-1)];if(n===void 0||o===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let i=Math.max(1e3,(o.us-n.us)*dn);this.#e.range={fromUs:Math.max(0,n.us-i),toUs:o.us+i}}#N(){if(this.#u=new Map,this.#r.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#r.length).entries())this.#u.set(n,this.#r[t])}#C(e){return this.#u.get(e)??\`#\${e}\`}#$({connection:e}){if(e===void 0)return"";let t=this.#u.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#D(){return sn*1e3*this.#e.speed}#M(){this.#o?.refresh(),this.#v=-1/0,this.#l()}#l(){this.#g!==0||this.#o===void 0||!this.isConnected||(this.#g=requestAnimationFrame(e=>this.#P(e)))}#P(e){this.#g=0;let t=this.#o;if(t===void 0)return;let n=ce(),o=Math.min(100,e-(this.#w??e));if(n&&this.#e.isPlaying&&e-(this.#w??-1/0)<fn){this.#l();return}this.#w=e,this.#L();let i=this.#e.us,s=this.#s?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:d}=this.#e,{view:a}=this;t.lingerUs=this.#D;let l=t.isLarge&&Math.abs(d-i)>1e6,u=t.show(a,o,n||l);(e-this.#v>=ln||!this.#e.isPlaying)&&(this.#v=e,this.#W(a)),(this.#e.isPlaying&&this.#h||u)&&this.#l()}#H(){let e=this.attachShadow({mode:"open"});R(e,O,Q,He,_e,Fe);let t=new ie({nameOf:d=>this.#C(d),letterOf:d=>this.#$(d)});this.#o=t,t.canvas.addEventListener("click",d=>{let{x:a,y:l}=t.canvas.getBoundingClientRect(),u=t.hit({x:d.clientX-a,y:d.clientY-l});this.follow(u?.connection)}),this.#a=f("h2"),this.#y=f("p",{class:"sub"}),this.#b=f("p",{class:"now"}),this.#m=f("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=f("p"),o=f("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});this.#d={root:f("div",{class:"followed",children:[n,o]}),title:n,list:o},this.#d.root.hidden=!0;let i=We();this.#f=i,this.#_(i);let s=new X(d=>this.#C(d),()=>this.#M());this.#E=s,e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[f("div",{class:"head",children:[this.#a,this.#y]}),t.root,i.root,this.#b,this.#d.root,ze(),s.root,this.#m]})),this.#q()}#_(e){let{play:t,live:n,slower:o,faster:i,back:s,step:d,time:a,follow:l}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#l()}),o.addEventListener("click",()=>this.#V(-1)),i.addEventListener("click",()=>this.#V(1)),s.addEventListener("click",()=>this.step(-1)),d.addEventListener("click",()=>this.step(1)),a.addEventListener("input",()=>{let{fromUs:u,toUs:c}=this.#e.range;this.#e.pause(),this.seek(u+Number(a.value)/Number(a.max)*(c-u))}),l.addEventListener("input",()=>{let u=Number(l.value);this.follow(l.value!==""&&Number.isInteger(u)?u:void 0)}),this.shadowRoot?.addEventListener("keydown",u=>this.#F(u))}#F(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,o=t instanceof HTMLButtonElement,{key:i}=e;if(i==="Escape")this.follow(void 0);else{if(n)return;if(i==="+")this.#V(1);else if(i==="-")this.#V(-1);else if(i===".")this.step(1);else if(i===",")this.step(-1);else if(i==="k"||i===" "&&!o&&t===this.#f?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#V(e){this.#e.changeSpeed(e),this.#M()}#q(){if(this.#a===void 0||this.#y===void 0)return;let{header:e}=this.#n;y(this.#a,this.getAttribute("data-title")??e?.by??""),y(this.#y,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#a.parentElement?.toggleAttribute("hidden",e===void 0&&this.#a.textContent==="")}#W(e){this.#z(e),this.#G(e),this.#Y(e),this.#E?.show(e),this.#Q(e)}#z({us:e}){let t=this.#f;if(t===void 0)return;let{isPlaying:n,isLive:o,speed:i,range:s}=this.#e;y(t.play,n?"Pause":this.#e.isAtEnd&&!this.#s?"Again":"Play"),t.live.hidden=!this.#s,y(t.live,o?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(o)),y(t.speed,i>=1?\`\${i}×\`:\`1/\${Math.round(1/i)}×\`),t.slower.disabled=i<=D[0],t.faster.disabled=i>=D.at(-1);let d=Math.max(1,s.toUs-s.fromUs),{max:a}=t.time,l=String(Math.round((e-s.fromUs)/d*Number(a)));t.time.value!==l&&(t.time.value=l);let u=this.#s?o?"now":\`\${x(Math.max(0,s.toUs-e))} ago\`:\`\${x(Math.max(0,e-s.fromUs))} of \${x(d)}\`;y(t.moment,u),t.time.setAttribute("aria-valuetext",u)}#G({us:e,note:t,leftOut:n,isPartial:o}){if(this.#s&&this.#e.isPlaying){if(!o)return this.#O(t??"");let s=n.get("connections")??0;return this.#O(\`Too many connections to draw each of them: \${M(s)} were left out so far.\`)}let i=this.#n.dots.length>cn?void 0:this.#K(e);this.#O(i===void 0?t??"":this.#B(i))}#K(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#B({text:e,connection:t}){let n=t===void 0?void 0:this.#u.get(t),o=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return o.slice(0,1).toUpperCase()+o.slice(1)}#Y(e){let t=this.#d,n=this.#o?.followed;if(t===void 0||(t.root.hidden=n===void 0,n===void 0))return;let o=this.#n.lifeOf(n).slice(-hn),i=e.dots.find(h=>h.connection===n),s=i??this.#n.dots.find(h=>h.connection===n),d=i===void 0?"is not in the picture":\`\${i.place==="thread"?"is served by":"is here:"} \${ge(i,e)}: \${ye(i,h=>this.#C(h))}\`,a=s===void 0?"":\`, from \${s.peer},\`;y(t.title,\`\${this.#C(n)}\${a} \${d}\`);let l=o.filter(({us:h})=>h<=e.us+.5).length,u=\`\${n} \${o.length} \${l} \${o.at(-1)?.us}\`;if(u===this.#S)return;this.#S=u;let{fromUs:c}=this.#e.range;t.list.replaceChildren(...o.map((h,p)=>f("li",{class:p<l?"past":"",children:[f("time",{text:x(Math.max(0,h.us-c))}),f("span",{text:this.#B(h)})]})))}#Q({dots:e,totals:t}){let n=performance.now();if(this.#m===void 0||n-this.#k<un)return;let o=l=>e.filter(u=>u.place===l).length,i=o("thread"),s=o("accept queue")+o("hand-over queue"),d=Object.values(t.outcomes).reduce((l,u)=>l+u,0),a=\`\${i} served, \${s} waiting, \${d} over\`;a!==this.#U&&(this.#k=n,this.#U=a,y(this.#m,a))}};z("model-figure",oe);var mn={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},pn=250,gn=2e3,re=L("figure"),lt=[new I({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:Ce,least:10}),new I({title:"Life of a connection",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:x,least:1e3}),new I({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${Re(r)} of a core\`,least:1}),new I({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:$e,least:2**20,unit:2**20})],dt=!1;R(document,O);L("charts").append(...lt.map(({root:r})=>r));setInterval(vn,pn);ut();function L(r){return document.getElementById(r)}async function yn(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:o,version:i,details:s=[],actions:d=[]}=r;y(L("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let a=[t,n,...s,o,i&&\`version \${i}\`];y(L("about"),a.filter(l=>l!==void 0).map(String).join(" · ")),L("actions").hidden=d.length===0,L("buttons").replaceChildren(...d.map(l=>{let[u,c]=mn[l]??[String(l),""],h=f("button",{text:u,attributes:{type:"button",title:c}});return h.addEventListener("click",()=>{bn(String(l),h)}),h}))}async function bn(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();y(L("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{y(L("answer"),"The server does not answer.")}finally{e.disabled=!1,e.focus()}}function Te(r,e){let t=L("state");t.dataset.state=r,y(t,e)}function ut(){let r=new EventSource("events");r.addEventListener("message",({data:e})=>{let{lines:t}=K(String(e));t.some(({type:n})=>n==="recording")&&(re.startLive(),Te("live","live"),yn()),re.appendLines(t),t.some(({type:n})=>n==="end")&&(dt=!0,r.close(),re.stopLive(),Te("ended","The server has ended. This is its last picture."))}),r.addEventListener("error",()=>{dt||(Te("lost","The server does not answer. This is its last picture; trying again …"),r.readyState===EventSource.CLOSED&&(r.close(),setTimeout(ut,gn)))})}function wn(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function vn(){if(document.hidden)return;let{us:r,scene:e,view:t}=re;for(let s of lt)s.show(e.figures,r);let{counters:n={}}=t,o=L("counters"),i=Object.keys(n);o.dataset.names!==i.join()&&(o.dataset.names=i.join(),o.replaceChildren(...i.map(s=>f("div",{children:[f("dt",{text:wn(s)}),f("dd")]}))));for(let[s,d]of[...o.querySelectorAll("dd")].entries())y(d,M(n[i[s]]??0))}})();
;
    </script>
  </body>
</html>
`;
