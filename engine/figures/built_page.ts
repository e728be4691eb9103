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
    "use strict";(()=>{var ct=[["µs",1],["ms",1e3],["s",1e6]],Le=[["",1],["k",1e3],["M",1e6],["G",1e9]],ut=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Ue="–",ae=3;function x(s){return B(s,ct)}var Ee=[["min",60],["h",3600]];function $e(s){if(de(s))return Ue;if(s>0&&s<1){let[t,n]=Ee.find(([,r])=>s*r>=1)??Ee[1],i=s*n,o=Math.round(i);return\`\${Math.abs(i-o)<.001&&o>0?o:Oe(i)} /\${t}\`}let e=B(s,Le);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function M(s){return B(s,Le)}function Ie(s){return B(de(s)?s:Math.round(s),ut)}function Ce(s){return s===0||s===1?\`\${s*100} %\`:s<1e-4?"under 0.01 %":s<.1?\`\${(s*100).toFixed(2)} %\`:s>.99&&s<1?\`\${(Math.floor(s*1e4)/100).toFixed(2)} %\`:\`\${Math.round(s*100)} %\`}function de(s){return s===null||Number.isNaN(s)}function B(s,e){if(de(s))return Ue;for(let[t,[n,i]]of e.entries()){let o=i===1&&Number.isInteger(s)?String(s):Oe(s/i),[,r]=e[t+1]??[];if(!(r!==void 0&&Number(o)*i>=r))return n===""?o:\`\${o} \${n}\`}return String(s)}function Oe(s){let e=s<1?1:Math.floor(Math.log10(s))+1,t=s.toFixed(Math.max(0,ae-e));return Number(t)>=10**e&&e<ae?s.toFixed(ae-e-1):t}var T=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],Re=new Map(T.map(({look:s,shape:e})=>[s,e]));function R({place:s,doing:e,ending:t}){switch(s){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return ht[e];case"closing":return"ended";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var ht={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},ft={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},$=\`:host, :root {
\${Object.entries(ft).map(([s,[e,t]])=>\`  --figure-\${s}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${T.map(({look:s})=>\`.of-\${s} { color: var(--figure-\${s}); }\`).join(\`
\`)}
\`;var W=globalThis.HTMLElement??class{};function f(s,e={}){let t=document.createElement(s);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,i]of Object.entries(e.attributes??{}))t.setAttribute(n,i);return t.append(...e.children??[]),t}function y(s,e){s.textContent!==e&&(s.textContent=e)}var Ne=new Map;function N(s,...e){s.adoptedStyleSheets=e.map(t=>{let n=Ne.get(t);if(n!==void 0)return n;let i=new CSSStyleSheet;return i.replaceSync(t),Ne.set(t,i),i})}function z(s,e){globalThis.customElements===void 0||customElements.get(s)!==void 0||customElements.define(s,e)}function G(s){return(s??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function le(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var De=6e7,mt=[[],[5,3]],ce=72,I=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=f("p",{class:"value",text:"–"}),this.#i=f("span",{class:"top"}),this.#n=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("figure",{class:"chart",children:[f("figcaption",{children:[f("h3",{text:e.title}),this.#e]}),f("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:i,least:o}=this.#t,r=e.filter(({at:u})=>u>t-De&&u<=t),d=r.at(-1),a=n.map(({name:u,of:h})=>{let g=d===void 0?void 0:h(d),m=g===void 0?"not known":i(g);return u===""?m:\`\${u} \${m}\`});y(this.#e,a.join(" · "));let l=r.flatMap(u=>n.map(({of:h})=>h(u)??0)),c=gt(Math.max(o,...l));y(this.#i,i(c)),this.#s(r,t,c)}#s(e,t,n){let{width:i}=this.#n.getBoundingClientRect(),o=Math.min(2,devicePixelRatio),[r,d]=[Math.round(i*o),Math.round(ce*o)];(this.#n.width!==r||this.#n.height!==d)&&(this.#n.width=r,this.#n.height=d);let a=this.#n.getContext("2d");if(a===null)return;let l=getComputedStyle(this.#n);a.setTransform(o,0,0,o,0,0),a.clearRect(0,0,i,ce);let c=h=>(1-(t-h)/De)*i,u=h=>1+(1-h/n)*(ce-2);a.strokeStyle=l.borderBottomColor,a.lineWidth=1;for(let h of[0,1])a.beginPath(),a.moveTo(0,u(h*n)),a.lineTo(i,u(h*n)),a.stroke();a.strokeStyle=l.color,a.lineWidth=1.75,a.lineJoin="round";for(let[h,{of:g}]of this.#t.series.entries()){a.setLineDash([...mt[h]??[]]),a.beginPath();let m=!1;for(let w of e){let b=g(w);if(b===void 0){m=!1;continue}m?a.lineTo(c(w.at),u(b)):a.moveTo(c(w.at),u(b)),m=!0}a.stroke()}a.setLineDash([])}};function gt(s){let e=10**Math.floor(Math.log10(s));return([1,2,5,10].find(t=>t*e>=s)??10)*e}var pt={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function C(s){let e=[],t=0;for(let n of s.split(\`
\`)){if(n.trim()==="")continue;let i=yt(n);i===void 0?t++:e.push(i)}return{lines:e,damaged:t}}function yt(s){let e;try{e=JSON.parse(s)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(pt[t.type]??["at"]).every(i=>Number.isFinite(t[i])))&&!(t.type==="recording"&&t.version!==1))return e}var K=\`
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
\`,Pe=\`
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
\`,Ae=\`
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
.card .what { height: 1.45em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
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
\`,He=\`
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
\`;var ue={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function he(s){let e=new Map,t=new Map,n=s.at(-1)?.at??0;for(let i of s)if(i.type==="socket"&&i.waiting===!0)e.has(i.remote)||e.set(i.remote,i.at);else if(i.type==="begun"){let{connection:o,peer:r,at:d}=i;t.set(o,{peer:r,fromUs:e.get(r)??d,toUs:n}),e.delete(r)}else if(i.type==="over"){let o=t.get(i.connection);o!==void 0&&(o.toUs=i.at)}return[...t.values()].sort((i,o)=>i.fromUs-o.fromUs)}var wt=["computing","queue","accept","thread"],bt=["queue","accept","thread"],vt=1e3;function fe(s,e){let t=e.map(n=>xt(s,n));return e.map((n,i)=>{let o=t[i],d=t.filter(m=>m!==o).filter(({thread:m})=>m===o.thread),a={accept:[[n.fromUs,o.begunUs]],queue:[[o.begunUs,o.servedUs]],thread:[...d.flatMap(({busy:m})=>m),...o.awaiting],computing:o.computing,talk:[]},l=Mt(n,a),c=l.filter(({doing:m})=>bt.includes(m)),u=t.map(m=>{if(m===o)return 0;let w=d.includes(m)?m.holds:[],b=o.awaiting.flatMap(U=>_e(U,m.computing)),p=[...w,...b];return kt(c.flatMap(({fromUs:U,toUs:oe})=>_e([U,oe],p)))}),h=Math.max(...u),g=h>=vt;return{stretches:l,waitedUs:g?h:0,waitedFor:g?u.indexOf(h):void 0}})}function xt(s,e){let t=s.find(m=>m.type==="begun"&&m.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,i=s.filter(m=>"connection"in m&&m.connection===n),o=i.find(m=>m.type==="served"),r=i.find(m=>m.type==="over"),d=o?.type==="served"?o.thread:void 0,a=i.filter(m=>m.type==="span"),l=m=>a.filter(w=>w.name===m).map(({at:w,to:b})=>[w,b]),c=s.some(m=>m.type==="thread"&&m.thread===d&&m.loop===!0),u=t?.at??e.toUs,h=o?.at??u,g=c?l("turn"):[];return{begunUs:u,servedUs:h,thread:d,computing:l("computing"),awaiting:l("waiting for computing"),busy:g,holds:c?g:[[h,r?.at??e.toUs]]}}function Mt({fromUs:s,toUs:e},t){let n=Object.values(t).flat(2).filter(r=>r>s&&r<e),i=[...new Set([s,...n,e])].sort((r,d)=>r-d),o=[];for(let r=1;r<i.length;r++){let[d,a]=[i[r-1],i[r]],l=(d+a)/2,c=wt.find(h=>t[h].some(([g,m])=>g<=l&&l<m))??"talk",u=o.at(-1);u?.doing===c?o[o.length-1]={...u,toUs:a}:o.push({doing:c,fromUs:d,toUs:a})}return o}function _e([s,e],t){return t.map(([n,i])=>[Math.max(n,s),Math.min(i,e)]).filter(([n,i])=>n<i)}function kt(s){let[e,t]=[0,-1/0];for(let[n,i]of s.toSorted(([o],[r])=>o-r))e+=Math.max(0,i-Math.max(n,t)),t=Math.max(t,i);return e}var Tt=40,St=5,Ve={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},Et=\`
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
\`,Y=class extends W{static observedAttributes=["src","data-title","names"];#t=[];#e;#i=[];#n;#s;#c;get lines(){return this.#t}set lines(e){this.#t=e,this.#o()}get visits(){return this.#e}set visits(e){this.#e=e,this.#o()}get names(){return this.#i}set names(e){this.#i=e,this.#o()}connectedCallback(){this.#s===void 0&&this.#r(),this.#o()}disconnectedCallback(){this.#c?.abort()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#u(n),e==="names"&&(this.names=G(n)),e==="data-title"&&this.#o()}async#u(e){this.#c?.abort();let t=new AbortController;this.#c=t;try{let n=await fetch(e,{signal:t.signal});if(!n.ok)throw new Error(\`the answer is \${n.status}\`);let{lines:i}=C(await n.text());if(i.length===0)throw new Error("it is not a recording");this.lines=i}catch(n){if(t.signal.aborted)return;let i=n instanceof Error?n.message:String(n);this.#s?.replaceChildren(f("p",{class:"note",text:\`Cannot show \${e}: \${i}\`}))}}#r(){let e=this.attachShadow({mode:"open"});N(e,$,K,Et),this.#n=f("h2"),this.#s=f("div",{class:"rows-and-scale"}),e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"Who waited for whom"},children:[f("div",{class:"head",children:[this.#n]}),this.#s,Ct()]}))}#o(){if(this.#s===void 0||this.#n===void 0)return;let e=this.getAttribute("data-title")??"";y(this.#n,e),this.#n.parentElement.hidden=e==="";let t=this.#t.filter(u=>u.type!=="recording").sort((u,h)=>u.at-h.at),n=this.#e??he(t);if(n.length===0){this.#t.length>0&&this.#s.replaceChildren(f("p",{class:"note",text:"No client has come."}));return}let i=n.slice(0,Tt),o=fe(t,i),r=Math.min(...i.map(({fromUs:u})=>u)),d=Math.max(r+1,...i.map(({toUs:u})=>u)),a=u=>this.#i[u]??\`client \${u+1}\`,l=i.map((u,h)=>Lt(u,o[h],{name:a,index:h,fromUs:r,lengthUs:d-r})),c=[f("ul",{class:"rows",children:l}),$t(d-r)];if(n.length>i.length){let u=\`\${n.length-i.length} more clients are not drawn.\`;c.push(f("p",{class:"note",text:u}))}this.#s.replaceChildren(...c)}};function Lt({fromUs:s,toUs:e},t,n){let i=f("div",{class:"bar",attributes:{"aria-hidden":"true"},children:t.stretches.map(o=>{let r=f("span",{class:Fe(o.doing)});return r.style.left=\`\${(o.fromUs-n.fromUs)/n.lengthUs*100}%\`,r.style.width=\`\${(o.toUs-o.fromUs)/n.lengthUs*100}%\`,r.title=\`\${ue[o.doing]}: \${x(o.toUs-o.fromUs)}\`,r})});return f("li",{class:"client",children:[f("span",{class:"name",text:n.name(n.index)}),i,f("span",{class:"length",text:x(e-s)}),f("span",{class:"waited",text:Ut(t,n.name)})]})}function Ut({stretches:s,waitedFor:e,waitedUs:t},n){let i=s.reduce((d,{doing:a,fromUs:l,toUs:c})=>d+(a==="computing"?c-l:0),0),o=i>=1?\`the server computed \${x(i)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${x(t)} for \${n(e)}\`,o].filter(d=>d!=="").join("; ")}function Fe(s){return\`part \${s==="computing"?"busy":s==="talk"?"talk":"wait"} of-\${Ve[s]}\`}function $t(s){let e=s/St,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(o=>o*t).find(o=>o>=e)??e,i=[];for(let o=0;o<=s;o+=n){let r=f("span",{text:o===0?"0":It(o)});r.style.left=\`\${o/s*100}%\`,i.push(r)}return f("div",{class:"scale",attributes:{"aria-hidden":"true"},children:i})}function It(s){return x(s).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function Ct(){return f("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(Ve).map(s=>f("li",{children:[f("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[Ot(s)]}),f("span",{class:"words",text:ue[s]})]}))})}function Ot(s){let e=f("span",{class:Fe(s)});return e.style.left="0",e.style.width="100%",e}z("client-timeline",Y);function qe(){let s=(h,g,m="")=>f("button",{class:m,text:h,attributes:{type:"button",...g!==void 0&&{"aria-label":g,title:g}}}),e=s("Play",void 0,"main"),t=s("Go live"),n=s("−","Slower (-)","small"),i=s("+","Faster (+)","small"),o=f("output",{attributes:{"aria-label":"Speed"}}),r=s("◂ Step","Step back to what happened before (,)"),d=s("Step ▸","Step on to what happens next (.)"),a=f("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),l=f("output"),c=f("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:f("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,r,d,f("span",{class:"speed",children:[n,o,i]}),f("span",{class:"time",children:[a,l]}),f("label",{children:[f("span",{text:"Follow #"}),c]})]}),play:e,live:t,slower:n,faster:i,speed:o,back:r,step:d,time:a,moment:l,follow:c}}function Be(){return f("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:T.filter(({look:s})=>s!=="ended").map(({look:s,shape:e,words:t})=>f("li",{children:[f("span",{class:\`sign \${e} of-\${s}\`,attributes:{"aria-hidden":"true"}}),f("span",{class:"words",text:t})]}))})}var We=100;function me({place:s,thread:e},{threads:t}){return s!=="thread"?s:t.find(({number:n})=>n===e)?.name??"a thread"}function ge(s,e){let t=T.find(({look:r})=>r===R(s))?.words??s.doing,{task:n,waitsFor:i}=s,o=s.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${o}\${i===void 0?"":\`, for \${e(i)}\`}\`}var j=class{root;#t;#e=f("tbody");#i=f("tbody");constructor(e,t){this.#t=e;let n=["Where","Connections","What happens there"],i=["Connection","From","Where","What it does","Since"];this.root=f("details",{children:[f("summary",{text:"The same as a table"}),f("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[ze("Where connections are",n,this.#e),ze("Connections",i,this.#i)]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;Ge(this.#e,this.#n(e).slice(0,We));let{dots:t,us:n}=e,i=t.slice(0,We).map(r=>[r.connection===void 0?"not accepted yet":this.#t(r.connection),r.peer,me(r,e),ge(r,this.#t),x(Math.max(0,n-r.sinceUs))]),o=t.length-i.length;Ge(this.#i,o>0?[...i,[\`and \${o} more\`,"","","",""]]:i)}#n(e){let{dots:t,threads:n,listeners:i,hasHandOver:o,queued:r,totals:d}=e,a=u=>t.filter(h=>h.place===u).length,l=i.map(({waiting:u,limit:h})=>\`\${u??"?"} of \${h??"?"}\`),c=["Hand-over queue",String(a("hand-over queue")),\`counted: \${r??"?"}\`];return[["Accept queue",l.join(", ")||"not known",\`\${a("accept queue")} seen there\`],...o?[c]:[],...n.filter(({kind:u})=>u!=="other").map(u=>[u.name,String(u.dots.length),this.#s(u,e)]),...Object.entries(d.endings).map(([u,h])=>[\`Ended: \${u}\`,String(h),"since the picture began"])]}#s({activity:e,isLoop:t,turns:n},{us:i}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:o,task:r,connection:d,sinceUs:a}=e,l=d===void 0?"":\` for \${this.#t(d)}\`,c=x(Math.max(0,i-a));return\`\${o}\${r===void 0?"":\` \${r}\`}\${l}, \${c}\`}};function ze(s,e,t){let n=e.map(i=>f("th",{text:i,attributes:{scope:"col"}}));return f("table",{children:[f("caption",{text:s}),f("thead",{children:[f("tr",{children:n})]}),t]})}function Ge(s,e){s.replaceChildren(...e.map(t=>f("tr",{children:t.map(n=>f("td",{text:n}))})))}var D=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],Q=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?D.find(n=>n>this.speed):D.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},Rt=3e5,Nt=1e-4,_=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*Nt;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-Rt}};function V(s,e,t){let[n,i]=[0,s.length];for(;n<i;){let o=n+i>>1;e(s[o])<=t?n=o+1:i=o}return n}function pe(s,e,t){let n=e(t),i=s.length;for(;i>0&&e(s[i-1])>n;)i--;return i===s.length?s.push(t):s.splice(i,0,t),i}var P=({at:s})=>s,Ke=s=>s,S=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=pe(this.#e,P,e),n=t-1,i=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,i);for(let o=t;o<this.#e.length;o++)this.#i[o]=i,i+=this.#t(this.#e[o])}find(e){let t=this.#e[V(this.#e,P,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[V(this.#e,P,e)-1]}weightAt(e){let t=V(this.#e,P,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:o})=>o>=e),n=t<0?this.#e.length:t;if(n===0)return;let i=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(i),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},E=class{#t=[];add(e,t){pe(this.#t,P,{at:e,value:t})}get all(){return this.#t}countAt(e){return V(this.#t,P,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},A=class{#t=[];#e=0;add(e){pe(this.#t,Ke,e)}countAt(e){return this.#e+V(this.#t,Ke,e)}forget(e){let t=this.#t.findIndex(i=>i>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};var X=class{number;name;isLoop=!1;presence=new E;computing=new S;writing=new S;turns=new S(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return F("computing",t);if(n!==void 0)return F("writing",n);let{open:i}=this;if(i!==void 0&&i.at<=e&&e<i.to){if(i.what==="computing"||i.what==="writing")return F(i.what,i);if(i.what==="turn")return F("turn",i)}let o=this.turns.find(e);return o&&F("turn",o)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function F(s,{at:e,connection:t,task:n}){return{what:s,connection:t,task:n,sinceUs:e}}var ye=1e3;function Ye(s,e,t){let n=s.activityAt(e);if(s.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=ye))for(let o of t)o.doing!=="reading"||o.connection===n.connection||(o.doing="waiting for the loop",o.waitsFor=n.connection,o.sinceUs=Math.max(o.sinceUs,n.sinceUs));return{number:s.number,name:s.name,isLoop:s.isLoop,kind:s.kind,activity:n,turns:s.turns.weightAt(e),lastTurn:s.turns.last(e)?.connection,dots:t}}var J=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;over;computing=new S;awaiting=new S;writing=new S;open;constructor(e,t){this.id=e,this.peer=t}get fromUs(){return Math.min(this.seenUs,this.begunUs,this.inQueue?.at??1/0)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get accepting(){let e=Math.min(this.leftUs,this.begunUs,this.goneUs,this.inQueue?.at??1/0);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}endUs(e){return this.begunUs===1/0?this.goneUs:this.overUs===1/0?1/0:this.goneUs<1/0?Math.max(this.overUs,this.goneUs):e?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.endUs(t),i=e>=this.overUs||e>=n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=i?this.over?.outcome:void 0,this.failure=i?this.over?.failure:void 0,this.ending=e>=n?this.endedWith??"unknown":void 0,e>=n?this.#t("ended",n):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{queued:t}=this,n=t===void 0?this.servedUs===1/0:t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing.find(e)??we(t,"computing",e),i=this.awaiting.find(e)??we(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let o=i??n;if(o!==void 0)return this.#n("waiting for computing",o);let r=this.writing.find(e)??we(t,"writing",e);if(r!==void 0)return this.#n("writing",r);this.doing="reading";let d=[this.computing,this.awaiting,this.writing].map(a=>a.last(e)?.to);this.sinceUs=Math.max(this.servedUs,...d.map(a=>a??0))}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function we(s,e,t){return s?.what===e&&s.at<=t&&t<s.to?s:void 0}var Dt=7e5,Pt=.1,At=["done","cut","empty","failed","unknown"],Ht=["FIN","RST","unknown"],Je={fin:"FIN",reset:"RST",unknown:"unknown"},O=class{header;isFinished=!1;#t;#e=new Map;#i=new Map;#n=[];#s=new Map;#c=new Map;#u=new Map;#r=new Map;#o=new A;#f=new Map(At.map(e=>[e,new A]));#d=new Map(Ht.map(e=>[e,new A]));#a=new E;#y=new E;#w=new E;#g=new Map;#k=!1;#x=!1;#T=0;#h=1/0;#p=0;#b=0;#v=[];#S=0;#U=-1/0;#E=0;#m=!0;#R;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#h===1/0?0:this.#h,this.#b)}get toUs(){return this.#p}get firstUs(){let e=this.#n.reduce((t,{fromUs:n})=>Math.min(t,n),1/0);return e===1/0?void 0:e}get figures(){return this.#y.all.map(({value:e})=>e)}get dots(){return this.#P(),this.#n}add(e){for(let n of e)this.#$(n);this.#m=!1,this.#R=void 0;let t=this.#p-this.#t;t-this.#b>this.#t*Pt&&this.#_(t)}at(e,t=0){this.#H(e,t);let n=this.#v,i=new Map;for(let a of n){if(a.look(e,this.#k),a.place!=="thread"||a.server===void 0)continue;let l=i.get(a.server);l===void 0?i.set(a.server,[a]):l.push(a)}let o=[];for(let a of this.#e.values()){let l=i.get(a.number)??[];a.presence.at(e)!==!0&&l.length===0||o.push(Ye(a,e,l))}_t(n,o);let r=this.#a.at(e),d=r?.queued;return{us:e,dots:n,threads:o.sort((a,l)=>a.number-l.number),listeners:[...this.#i.values()].map(({local:a,course:l})=>{let{waiting:c,limit:u}=l.at(e)??{};return{local:a,waiting:c,limit:u}}),hasHandOver:this.#x||o.some(({kind:a})=>a==="accepts"),queued:d,totals:{begun:this.#o.countAt(e),outcomes:Xe(this.#f,e),endings:Xe(this.#d,e)},counters:r,figures:this.#y.at(e),leftOut:new Map([...this.#g].map(([a,l])=>[a,l.at(e)??0])),isPartial:e-(this.#g.get("connections")?.last(e)?.at??-1/0)<Dt,note:this.#w.at(e)}}lifeOf(e){let t=this.#s.get(e);return t===void 0?[]:je(this.#V(t))}happenings(){return this.#R??=je(this.#n.flatMap(e=>this.#V(e)))}#$(e){if(e.type==="recording"){this.header=e;return}switch(this.#h=Math.min(this.#h,e.at),this.#p=Math.max(this.#p,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#I(e);case"begun":return this.#A(e);case"queued":{this.#x=!0;let t=this.#s.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#s.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#f.get(e.outcome)?.add(e.at);let t=this.#s.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#N(e);case"doing":return this.#C(e);case"socket":return this.#D(e);case"connection":return this.#l(e);case"listener":{let t=e.cookie??e.local,n=this.#i.get(t)??{local:e.local,course:new E};this.#i.set(t,n),n.course.add(e.at,e);return}case"counters":this.#a.add(e.at,e.values);return;case"figures":this.#y.add(e.at,e);return;case"note":this.#w.add(e.at,e.text);return;case"left_out":{let t=this.#g.get(e.what)??new E;this.#g.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count);return}case"end":this.isFinished=!0}}#I({thread:e,name:t,loop:n,gone:i,at:o}){let r=this.#e.get(e)??new X(e,String(t));this.#e.set(e,r),r.name=String(t),r.isLoop||=n===!0,r.presence.add(o,i!==!0),i===!0&&(r.open=void 0)}#A(e){let{at:t,connection:n,peer:i,cookie:o,by:r}=e;this.#o.add(t);let a=(o===void 0?void 0:this.#u.get(o))??this.#c.get(i),c=a!==void 0&&a.connection===void 0&&t<a.goneUs?a:this.#L(i);c.connection=n,c.begunUs=t,c.isOwn=r==="page",this.#s.set(n,c),o!==void 0&&this.#u.set(o,c);let u=this.#r.get(i);u!==void 0&&(this.#r.delete(i),u.at>=t&&Qe(c,u))}#L(e){let t=new J(++this.#T,String(e));return this.#n.push(t),this.#c.set(e,t),t}#N(e){let{name:t,at:n,to:i,thread:o,task:r}=e,d=o===void 0?void 0:this.#e.get(o);d?.open!==void 0&&d.open.at<i&&(d.open=void 0);let a=e.connection===void 0?void 0:this.#s.get(e.connection);a?.open!==void 0&&a.open.at<i&&(a.open=void 0);let l={at:n,to:i,thread:o,task:r};switch(t){case"computing":d?.computing.add(e),a?.computing.add(l);return;case"waiting for computing":a?.awaiting.add(l);return;case"writing":d?.writing.add(e),a?.writing.add(l);return;case"turn":case"turns":d?.turns.add(e)}}#C(e){let{at:t,thread:n,connection:i,peer:o,what:r,task:d}=e;if(o!==void 0)return this.#O(o,t,r!==void 0);let a=n===void 0?void 0:this.#e.get(n);if(r===void 0){let c=a===void 0?i:a.open?.connection;a?.open!==void 0&&(a.open={...a.open,to:t});let u=this.#s.get(c??0);u?.open!==void 0&&(u.open={...u.open,to:t});return}a!==void 0&&(a.open={...e,to:1/0});let l=this.#s.get(i??0);l!==void 0&&(l.open={at:t,to:1/0,thread:n,task:d,what:r})}#O(e,t,n){this.#x=!0;let i=this.#M(e,t);if(n){let o=i?.connection===void 0&&i!==void 0?i:this.#L(e);o.inQueue={at:t,to:1/0}}else i?.inQueue!==void 0&&(i.inQueue={...i.inQueue,to:t})}#D({at:e,cookie:t,remote:n,state:i,end:o,waiting:r}){if(o==="client")return;this.#k=!0;let d=this.#u.get(t)??this.#M(n,e);if(i==="CLOSE"){if(this.#u.delete(t),d===void 0)return;d.goneUs=Math.min(d.goneUs,e),d.leftUs=Math.min(d.leftUs,e);return}r===!0?(d??=this.#L(n),d.seenUs=Math.min(d.seenUs,e)):d!==void 0&&d.seenUs<e&&(d.leftUs=Math.min(d.leftUs,e)),d!==void 0&&this.#u.set(t,d)}#M(e,t){let n=this.#c.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#l(e){this.#d.get(Je[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#u.get(e.cookie))??this.#c.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?Qe(n,e):this.#r.set(e.remote,e)}#P(){this.#m||(this.#n.sort((e,t)=>e.fromUs-t.fromUs),this.#m=!0,this.#U=1/0)}#H(e,t){this.#P();let n=e>=this.#U&&t===this.#E;n||(this.#v=[],this.#S=0);let i=o=>o.endUs(this.#k)+t<=e;for(n&&(this.#v=this.#v.filter(o=>!i(o)));this.#S<this.#n.length;this.#S++){let o=this.#n[this.#S];if(o.fromUs>e)break;i(o)||this.#v.push(o)}this.#U=e,this.#E=t}#_(e){this.#b=e;let t=({doneUs:n})=>n<e;this.#n=this.#n.filter(n=>t(n)?(n.connection!==void 0&&this.#s.delete(n.connection),this.#c.get(n.peer)===n&&this.#c.delete(n.peer),!1):!0);for(let[n,i]of this.#u)t(i)&&this.#u.delete(n);for(let[n,{at:i}]of this.#r)i<e&&this.#r.delete(n);for(let n of this.#n)n.computing.forget(e),n.awaiting.forget(e),n.writing.forget(e);for(let[n,i]of this.#e){i.forget(e);let{all:o}=i.presence;o.length===1&&o[0]?.value===!1&&o[0].at<e&&this.#e.delete(n)}for(let{course:n}of this.#i.values())n.forget(e);for(let n of[this.#o,...this.#f.values(),...this.#d.values()])n.forget(e);for(let n of[this.#a,this.#y,this.#w,...this.#g.values()])n.forget(e);this.#m=!1}#V(e){let t=[],n=u=>this.#e.get(u??0)?.name??"a thread",{connection:i,peer:o,queued:r,accepting:d}=e,a=i===void 0?o:\`#\${i}\`,l=(u,h)=>t.push({us:u,text:h,connection:i});d!==void 0&&l(d.at,\`\${a} is in the accept queue\`),e.begunUs<1/0&&l(e.begunUs,\`\${a} is accepted\`),r!==void 0&&l(r.at,\`\${a} waits in the hand-over queue\`),e.servedUs<1/0&&l(e.servedUs,\`\${n(e.server)} begins to serve \${a}\`);for(let{at:u,to:h,task:g,thread:m}of e.computing.all){let w=g===void 0?"":\` \${g}\`;l(u,\`\${n(m)} begins to compute\${w} for \${a}\`),l(h,\`\${n(m)} has computed\${w} for \${a}\`)}for(let{at:u,to:h}of e.awaiting.all)l(u,\`\${a} waits while another thread computes\`),l(h,\`\${a} has the result\`);for(let{at:u,to:h}of e.writing.all)l(u,\`\${a} waits for its peer to take what was sent\`),l(h,\`the peer of \${a} has taken it\`);if(e.over!==void 0){let{outcome:u,failure:h}=e.over,g=h===void 0?"":\`, \${h}\`;l(e.overUs,\`\${a} is over: \${u}\${g}\`)}let c=e.endUs(!0);return c<1/0&&e.endedWith!==void 0&&l(c,\`\${a} has ended with \${e.endedWith}\`),t}};function je(s){return s.toSorted((e,t)=>e.us-t.us)}function Qe(s,{at:e,ended_with:t}){s.goneUs=e,s.endedWith=Je[t]??"unknown"}function Xe(s,e){let t=[...s].map(([n,i])=>[n,i.countAt(e)]);return Object.fromEntries(t)}function _t(s,e){let t=r=>{let d=e.filter(a=>a.kind===r);return d.length===1?d[0]:void 0},n=t("serves"),i=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,o=t("computes")?.activity?.connection;for(let r of s){let{place:d,doing:a,connection:l}=r;d==="accept queue"||d==="hand-over queue"?r.waitsFor=i:a==="waiting for computing"&&l!==o&&(r.waitsFor=o)}}var Ze=90,Vt=2e3,Ft=4,qt=9,Z=class{#t=new Map;#e=new Map(T.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,i]=[!1,!1];for(let o of e){let r=this.#t.get(o);if(r===void 0){n=!0,this.#t.set(o,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:o,look:R(o),place:o.place,thread:o.thread});continue}r.round=t;let d=R(o);i||=d!==r.look||o.place==="ended",r.look=d,!(r.place===o.place&&r.thread===o.thread)&&(n=!0,r.place=o.place,r.thread=o.thread)}if(this.#t.size>e.length){for(let[o,r]of this.#t)r.round!==t&&this.#t.delete(o);n=!0}return{hasMoved:n,hasChanged:i||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},i){let o=this.#t.get(e);o!==void 0&&(o.toX=t,o.toY=n,Number.isNaN(o.x)&&(o.x=t+i.x,o.y=n+i.y))}move(e,t){let n=t?1:1-Math.exp(-e/Ze),i=!1;for(let o of this.#t.values()){let[r,d]=[o.toX-o.x,o.toY-o.y];n===1||Math.abs(r)+Math.abs(d)<.4?(o.x=o.toX,o.y=o.toY):(o.x+=r*n,o.y+=d*n,i=!0),!(o.alpha>=1)&&(o.alpha=Math.min(1,t?1:o.alpha+e/(2*Ze)),i=!0)}return i}get isLarge(){return this.#t.size>Vt}nearest({x:e,y:t},n){let[i,o]=[void 0,n*n];for(let r of this.#t.values()){let d=(r.x-e)**2+(r.y-t)**2;d>o||([i,o]=[r,d])}return i?.dot}draw(e,t){let{radius:n,colours:i}=t;for(let o of this.#e.values())o.length=0;for(let o of this.#t.values())Number.isNaN(o.x)||this.#e.get(o.look)?.push(o);for(let[o,r]of this.#e){if(r.length===0)continue;let d=i.get(o);n<Ft?Bt(e,r,d,n):Wt(e,r,o,d,t)}e.globalAlpha=1;for(let o of this.#t.values())t.isFollowed(o.dot)&&(e.strokeStyle=i.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(o.x,o.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function Bt(s,e,t,n){if(s.globalAlpha=1,s.fillStyle=t,n<2.5){let i=2*n;for(let{x:o,y:r}of e)s.fillRect(o-n,r-n,i,i);return}s.beginPath();for(let{x:i,y:o}of e)s.moveTo(i+n,o),s.arc(i,o,n,0,2*Math.PI);s.fill()}function Wt(s,e,t,n,{radius:i,colours:o,letterOf:r,shareOf:d,font:a}){let l=Re.get(t),c=o.get("well"),u=Math.max(1.5,i*.26);s.lineWidth=u,s.strokeStyle=n,s.font=a,s.textAlign="center",s.textBaseline="middle";for(let h of e){let{x:g,y:m,dot:w}=h;if(s.globalAlpha=h.alpha*d(w),s.beginPath(),l==="cross"){let b=i*.7;s.moveTo(g-b,m-b),s.lineTo(g+b,m+b),s.moveTo(g+b,m-b),s.lineTo(g-b,m+b),s.stroke();continue}s.arc(g,m,l==="ring"?i-u/2:i,0,2*Math.PI),s.fillStyle=l==="ring"?c:n,s.fill(),l==="ring"&&s.stroke(),!(i<qt)&&(s.fillStyle=l==="ring"?n:c,s.fillText(r(w),g,m+.5))}s.globalAlpha=1}function be({x:s,y:e,width:t,height:n}){return{x:s+t/2,y:e+n/2}}var zt=Math.PI*(3-Math.sqrt(5));function tt(s){return s<=30?10:s<=120?7:s<=500?4.5:s<=2e3?3:1.8}function nt({width:s,height:e},t,n){let i=n*2.6,o=Math.min(i,Math.sqrt(s*e/Math.max(1,t)));for(;o>.5&&Math.max(1,Math.floor(s/o))*Math.max(1,Math.floor(e/o))<t;)o*=.97;return o}function it(s,e,t,n){let i=nt(s,e,t),{x:o,y:r,width:d,height:a}=s;if(n){let c=Math.max(1,Math.floor(d/i));return u=>({x:o+i*(u%c+.5),y:r+a-i*(Math.floor(u/c)+.5)})}let l=Math.max(1,Math.floor(a/i));return c=>({x:o+d-i*(Math.floor(c/l)+.5),y:r+i*(c%l+.5)})}function q(s,e,t){let n=nt(s,e,t),i=Math.max(1,Math.floor(s.width/n));return o=>({x:s.x+n*(o%i+.5),y:s.y+n*(Math.floor(o/i)+.5)})}function ve({x:s,y:e,width:t,height:n},i){let o=Math.max(4,Math.min(t,n)/2-i-3);return{x:s+t/2,y:e+n/2,radius:o}}function ot(s,e,t){let n=Math.floor(2*Math.PI*s.radius/(t*2.6)),i=2**Math.floor(Math.log2(Math.max(1,n)));if(e<=i)return r=>et(s,s.radius,2*Math.PI*Gt(r)-Math.PI/2);let o=2**Math.ceil(Math.log2(e));return r=>{let d=Math.sqrt(.06+.94*(r+.5)/o);return et(s,s.radius*d,r*zt)}}function et({x:s,y:e},t,n){return{x:s+t*Math.cos(n),y:e+t*Math.sin(n)}}function Gt(s){let[e,t]=[0,.5];for(let n=s;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var H=class{#t=new Map;#e=[];#i=0;get size(){return this.#i}keep(e){let t=new Set(e);for(let[n,i]of this.#t)t.has(n)||(this.#t.delete(n),this.#e.push(i));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((n,i)=>i-n);for(let n of e)this.#t.has(n)||this.#t.set(n,this.#e.pop()??this.#i++)}of(e){return this.#t.get(e)??0}};var Kt=32,Yt=720,jt=100,Qt=64,Xt=70,st={closing:["Closing","not over yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]},te=class{root;canvas;#t;#e;#i;#n;#s;#c;#u;#r;#o=new Z;#f;#d=new Map;#a;#y="";#w=new Map;#g=!1;#k=!1;#x=new Map;#T=-1/0;#h=10;#p="";#b=!0;followed;lingerUs=7e5;constructor(e){this.#f=e;let t=f("div",{class:"fill"}),n=ee("accept","Accept queue","in the kernel");n.count.after(f("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t},this.#i=ee("handover","Hand-over queue","in the process"),this.#c=f("div",{class:"cards"}),this.#u=f("p",{class:"others"}),this.#s=f("p",{class:"who"});let i=f("h3",{text:"Threads"});this.#n={root:f("section",{class:"box threads",children:[i,this.#s,this.#c,this.#u]}),title:i},this.#r=new Map(Object.keys(st).map(r=>{let d=ee(\`end \${r.toLowerCase()}\`,...st[r]);return[r,{...d,slots:new H}]}));let o=f("div",{class:"ends",children:[...this.#r.values()].map(({root:r})=>r)});this.#t=f("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,o]}),this.canvas=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#g=!1,this.#b=!0,this.#T=-1/0}hit(e){return this.#o.nearest(e,Math.max(14,this.#h+4))}show(e,t,n){let i=performance.now();this.#S(e)&&this.refresh(),i-this.#T>=jt&&(this.#T=i,this.#U(e)),this.#g||this.#$();let{hasMoved:o,hasChanged:r}=this.#o.keep(e.dots);(o||this.#b)&&this.#A(e);let d=this.#o.move(t,n),a=this.#D(e,t,n),l=this.#v(e);return(r||d||a||this.#b||l!==this.#p)&&this.#M(e),this.#p=l,this.#b=!1,d||a}#v({threads:e}){return e.map(({activity:t,isLoop:n,kind:i})=>t!==void 0&&(n||i==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#o.isLarge}#S({threads:e,hasHandOver:t,totals:n}){let i=e.filter(({kind:p})=>p==="serves"||p==="computes"),o=i.filter(({isLoop:p})=>p),r=i.filter(({isLoop:p})=>!p),d=r.length>Kt,a=d?o:[...o,...r],l=e.filter(({kind:p})=>p!=="serves"&&p!=="computes"),{unknown:c}=n.endings,u=JSON.stringify([t,d,c>0,a.map(({number:p,name:U})=>[p,U]),l.map(({name:p})=>p)]);if(u===this.#y)return!1;this.#y=u,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);let h=new Map(this.#d);this.#d.clear();for(let p of a)this.#d.set(p.number,h.get(p.number)??Jt(p));let g=[...this.#d.values()].map(({root:p})=>p);d?(this.#a??={...ee("dense","",""),slots:new H},g.push(this.#a.root)):this.#a=void 0,this.#c.replaceChildren(...g),this.#c.classList.toggle("one",a.length===1&&!d);let m=o.length===0,w=a.some(({name:p})=>p.startsWith("process"));y(this.#n.title,m?w?"Processes":"Threads":o.length===1?"Event loop":"Event loops");let b=l.map(({name:p})=>p).join(", ");return y(this.#u,b===""?"":\`also there: \${b}\`),this.#u.hidden=b==="",!0}#U(e){let{listeners:t,dots:n,queued:i,totals:o,threads:r,us:d}=e,a=v=>n.reduce((k,re)=>k+(re.place===v?1:0),0),l=t.filter(({waiting:v})=>v!==void 0),c=l.reduce((v,{waiting:k=0})=>v+k,0),u=l.reduce((v,{limit:k=0})=>v+k,0);y(this.#e.count,l.length===0?"not known":\`\${c} of \${u}\`),this.#e.gauge.style.width=\`\${u===0?0:Math.min(100,c/u*100)}%\`,this.#E(this.#e,"accept queue",n),this.#E(this.#i,"hand-over queue",n);let h=a("hand-over queue");y(this.#i.count,String(Math.max(h,i??0)));for(let v of r){let k=this.#d.get(v.number);if(k===void 0)continue;let{root:re,what:Te}=k,Se=this.#R(v,d);y(Te,Se),Te.title=Se,re.dataset.state=Zt(v)}let g=r.filter(({kind:v})=>v==="serves"),m=g.reduce((v,{dots:k})=>v+k.length,0),w=g.filter(({dots:v})=>v.length>0).length;this.root.classList.toggle("partial",e.isPartial);let b=e.counters?.live;if(y(this.#s,e.isPartial&&b!==void 0?\`the server counts \${xe(b,"connection")}, too many come and go to draw each\`:g.some(({isLoop:v})=>v)?\`\${xe(m,"connection")} in turns\`:\`\${M(w)} of \${M(g.length)} \${w===1?"serves":"serve"}\`),this.#a!==void 0){let v=g.filter(({activity:k})=>k?.what==="computing").length;y(this.#a.count,\`\${M(g.length)} threads: \${M(v)} compute, \${M(w-v)} wait for peers, \${M(g.length-w)} are free\`)}let{endings:p,outcomes:U}=o,oe=Object.values(U).reduce((v,k)=>v+k,0),ke=p.FIN+p.RST+p.unknown;y(this.#m("closing").count,String(a("closing"))),y(this.#m("FIN").count,M(p.FIN)),y(this.#m("RST").count,M(p.RST));let se=p.unknown+(ke===0?oe:0);y(this.#m("unknown").count,M(se));let lt=ke>0||se===0;for(let v of["closing","FIN","RST"])this.#m(v).root.hidden=!lt;this.#m("unknown").root.hidden=se===0}#E({whom:e},t,n){let i=n.find(o=>o.place===t)?.waitsFor;y(e,i===void 0?"":\`for \${this.#f.nameOf(i)}\`)}#m(e){return this.#r.get(e)}#R({activity:e,dots:t,isLoop:n,turns:i,kind:o},r){let{nameOf:d}=this.#f,a=e?.connection===void 0?"":\` for \${d(e.connection)}\`,l=e===void 0?"":x(Math.max(0,r-e.sinceUs));if(e?.what==="computing"){let h=e.task===void 0?"":\` \${e.task}\`;return n?\`stands still: computes\${h}\${a} · \${l}\`:\`computes\${h}\${a} · \${l}\`}if(n&&e!==void 0&&r-e.sinceUs>=ye)return\`stands still: a turn\${a} · \${l}\`;if(n)return\`\${xe(t.length,"connection")} · \${M(i)} \${i===1?"turn":"turns"}\`;if(o==="computes")return"free";let[c]=t;if(c===void 0)return"free";let u=c.connection===void 0?c.peer:d(c.connection);return c.doing==="writing"?\`waits until \${u} takes what was sent\`:\`waits for \${u} to send\`}#$(){this.#g=!0;let e=this.root.getBoundingClientRect(),t=c=>{let{x:u,y:h,width:g,height:m}=c.getBoundingClientRect();return{x:u-e.x,y:h-e.y,width:g,height:m}};this.#k=e.width<Yt,this.#w=new Map;let n=[this.#e,this.#i,...this.#r.values()].map(({well:c})=>c);this.#a!==void 0&&n.push(this.#a.well);for(let c of n)this.#w.set(c,t(c));for(let c of this.#d.values())c.rectangle=t(c.well);let i=Math.min(2,devicePixelRatio),[o,r]=[Math.round(e.width*i),Math.round(e.height*i)];(this.canvas.width!==o||this.canvas.height!==r)&&(this.canvas.width=o,this.canvas.height=r);let d=getComputedStyle(this.root),a=f("i",{class:"probe"});this.root.append(a);let l=[...T.map(({look:c})=>c),"well","accent","line","faint"];this.#x=new Map(l.map(c=>(a.style.color=\`var(--figure-\${c})\`,[c,getComputedStyle(a).color]))),a.remove(),this.#I=\`600 10px \${d.fontFamily}\`}#I="600 10px sans-serif";#A(e){let{dots:t,threads:n}=e;this.#h=tt(t.length);let i=this.#h,o=new Map;for(let c of t){let u=c.place==="ended"?c.ending:c.place,h=o.get(u);h===void 0?o.set(u,[c]):h.push(c)}let r=this.#k?{x:0,y:-18}:{x:-18,y:0},d=(c,u)=>c.sinceUs-u.sinceUs||c.id-u.id,a=(c,{well:u})=>{let h=it(this.#O(u),c.length,i,this.#k);c.sort(d).forEach((g,m)=>this.#o.send(g,h(m),r))};a(o.get("accept queue")??[],this.#e);let l=!this.#i.root.hidden;l&&a([...o.get("hand-over queue")??[],...o.get("taken")??[]],this.#i);for(let c of n)this.#N(c,r);if(this.#a!==void 0&&this.#C(n,r),!l){let{x:c,y:u,height:h}=this.#L();for(let g of[...o.get("hand-over queue")??[],...o.get("taken")??[]])this.#o.send(g,{x:c-i,y:u+h/2},r)}for(let[c,{well:u,slots:h}]of this.#r){let g=o.get(c)??[];h.keep(g);let m=q(this.#O(u),Math.max(1,h.size),i);for(let w of g)this.#o.send(w,m(h.of(w)),r)}}#L(){return[...this.#d.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#N({number:e,dots:t,isLoop:n},i){let o=this.#d.get(e);if(o===void 0)return;let{rectangle:r,slots:d}=o;d.keep(t);let a=this.#h,l=n?ot(ve(r,a),d.size,a):q(r,Math.max(1,d.size),a);for(let c of t)this.#o.send(c,l(d.of(c)),i)}#C(e,t){if(this.#a===void 0)return;let{well:n,slots:i}=this.#a,o=e.filter(({number:d,kind:a})=>a==="serves"&&!this.#d.has(d));i.keep(o.map(({number:d})=>d));let r=q(this.#O(n),Math.max(1,i.size),this.#h);for(let{number:d,dots:a}of o)for(let l of a)this.#o.send(l,r(i.of(d)),t)}#O(e){return this.#w.get(e)??{x:0,y:0,width:1,height:1}}#D({threads:e,dots:t},n,i){let o=!1;for(let{number:r,isLoop:d,activity:a,turns:l,lastTurn:c,dots:u}of e){let h=d?this.#d.get(r):void 0;if(h===void 0)continue;let g=a?.connection??c,m=g===void 0?void 0:u.find(({connection:p})=>p===g),w=m&&this.#o.find(m);if(w!==void 0){let p=be(h.rectangle);h.toAngle=Math.atan2(w.toY-p.y,w.toX-p.x)}else l!==h.turns&&(h.toAngle+=(l-h.turns)*2*Math.PI/Math.max(8,u.length));h.turns=l;let b=en(h.toAngle-h.angle);i||Math.abs(b)<.01?h.angle=h.toAngle:(h.angle+=b*(1-Math.exp(-n/Xt)),o=!0)}return o&&t.length>0}#M(e){let t=this.canvas.getContext("2d");if(t===null)return;let{width:n}=this.root.getBoundingClientRect(),i=this.canvas.width/Math.max(1,n);t.setTransform(i,0,0,i,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let d of e.threads)d.isLoop&&this.#P(t,d);this.#H(t,e.threads),this.#_(t,e);let{lingerUs:o,followed:r}=this;this.#o.draw(t,{radius:this.#h,colours:this.#x,font:this.#I,letterOf:this.#f.letterOf,isFollowed:({connection:d})=>r!==void 0&&d===r,shareOf:({place:d,sinceUs:a})=>d==="ended"?Math.max(0,1-(e.us-a)/o):1})}#l(e){return this.#x.get(e)??"gray"}#P(e,{number:t,activity:n}){let i=this.#d.get(t);if(i===void 0)return;let{x:o,y:r,radius:d}=ve(i.rectangle,this.#h),a=n?.what==="computing";e.lineWidth=a?2.5:1.5,e.strokeStyle=this.#l(a?"computing":"line"),e.beginPath(),e.arc(o,r,d,0,2*Math.PI),e.stroke();let l=Math.max(4,d-this.#h-6);e.strokeStyle=this.#l(a?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=a?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(o,r),e.lineTo(o+l*Math.cos(i.angle),r+l*Math.sin(i.angle)),e.stroke(),e.beginPath(),e.arc(o,r,a?6:4,0,2*Math.PI),e.fill()}#H(e,t){if(this.#a===void 0)return;let{well:n,slots:i}=this.#a,o=q(this.#O(n),Math.max(1,i.size),this.#h),r=Math.max(2,this.#h*2.2);e.strokeStyle=this.#l("line"),e.lineWidth=1;for(let{number:d,kind:a}of t){if(a!=="serves"||this.#d.has(d))continue;let{x:l,y:c}=o(i.of(d));e.strokeRect(l-r/2,c-r/2,r,r)}}#_(e,{threads:t,dots:n}){let i=t.filter(({kind:r,activity:d})=>r==="computes"&&d?.what==="computing").slice(0,Qt);if(i.length===0)return;let o=20;e.font=this.#I,e.textAlign="center",e.textBaseline="middle";for(let{number:r,activity:d}of i){let a=this.#d.get(r);if(a===void 0||d===void 0)continue;let{x:l,y:c}=be(a.rectangle),u=n.find(({connection:g})=>g===d.connection),h=u&&this.#o.find(u);h!==void 0&&(e.strokeStyle=this.#l("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(h.x,h.y),e.lineTo(l,c),e.stroke(),e.setLineDash([])),e.fillStyle=this.#l("computing"),e.beginPath(),e.roundRect(l-o/2,c-o/2,o,o,4),e.fill(),u!==void 0&&(e.fillStyle=this.#l("well"),e.fillText(this.#f.letterOf(u),l,c+.5))}}};function ee(s,e,t){let n=f("p",{class:"count"}),i=f("p",{class:"who whom"}),o=f("div",{class:"well"});return{root:f("section",{class:\`box \${s}\`,children:[...e===""?[]:[f("h3",{text:e})],...t===""?[]:[f("p",{class:"who",text:t})],n,i,o]}),count:n,whom:i,well:o}}function Jt({number:s,name:e,isLoop:t,kind:n,turns:i}){let o=f("p",{class:"what"}),r=f("div",{class:"well"});return{root:f("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(s)},children:[f("h4",{text:e}),o,r]}),what:o,well:r,turns:i,slots:new H,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function Zt({activity:s,dots:e,isLoop:t}){return s?.what==="computing"?"computing":s?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function xe(s,e){return\`\${M(s)} \${e}\${s===1?"":"s"}\`}function en(s){return Math.atan2(Math.sin(s),Math.cos(s))}var tn=6e7,nn=700,on=12,sn=.04,rn=150,an=5e3,dn=3e3,ln=200,cn=250,ne=class extends W{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new Q;#i=new _;#n=new O;#s=[];#c=new Map;#u=!1;#r=!1;#o;#f;#d;#a;#y;#w;#g;#k;#x=[];#T;#h=!0;#p=0;#b;#v=-1/0;#S=-1/0;#U="";#E="";#m;get lines(){return this.#t}set lines(e){this.#t=e,this.#u=!1,this.#r=!1,this.#n=new O,this.#n.add(un(e)),this.#I()}get names(){return this.#s}set names(e){this.#s=e,this.#N(),this.#l()}get view(){return this.#n.at(this.#e.us,this.#D)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#o?.followed}startLive(){this.#u=!0,this.#r=!0,this.#n=new O({keepUs:tn}),this.#i=new _,this.#e.goLive(),this.#I()}appendLines(e){this.#u||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#l()}stopLive(){this.#r&&(this.#r=!1,this.#e.isLive=!1,this.#l())}play(){this.#e.play(),this.#l()}pause(){this.#e.pause(),this.#l()}seek(e){this.#L(),this.#e.seek(e),this.#l()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),i=e>0?n.find(o=>o.us>t+.5):n.findLast(o=>o.us<t-.5);i!==void 0&&this.seek(i.us)}follow(e){this.#o!==void 0&&(this.#o.followed=e,this.#o.refresh(),this.#E="",this.#v=-1/0,this.#f!==void 0&&(this.#f.follow.value=e===void 0?"":String(e)),this.#l())}connectedCallback(){this.#o===void 0&&this.#H();let e=new IntersectionObserver(([o])=>{this.#h=o?.isIntersecting??!0,this.#l()});e.observe(this);let t=new ResizeObserver(()=>this.#M());t.observe(this.#o?.root);let n=new MutationObserver(()=>this.#M());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#x=[e,t,n],this.#T=new AbortController;let{signal:i}=this.#T;for(let o of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(o).addEventListener("change",()=>this.#M(),{signal:i});this.#l()}disconnectedCallback(){for(let e of this.#x)e.disconnect();this.#x=[],this.#T?.abort(),this.#m?.abort(),cancelAnimationFrame(this.#p),this.#p=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#R(n),e==="names"&&(this.names=G(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#q()}async#R(e){this.#m?.abort();let t=new AbortController;this.#m=t;try{let n=await fetch(e,{signal:t.signal});if(!n.ok)throw new Error(\`the answer is \${n.status}\`);let{lines:i}=C(await n.text());if(i.length===0)throw new Error("it is not a recording");this.lines=i,this.hasAttribute("autoplay")&&!le()&&this.play()}catch(n){if(t.signal.aborted)return;this.#$(\`Cannot show \${e}: \${n instanceof Error?n.message:String(n)}\`)}}#$(e){this.#w!==void 0&&y(this.#w,e)}#I(){if(this.#N(),this.#q(),this.#L(),!this.#r){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let e=Number(this.getAttribute("speed"));this.#e.setSpeed(e>0?e:this.#A())}this.follow(void 0),this.#M()}#A(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/on;return D.find(i=>i>=n)??10}#L(){let e=this.#n;if(this.#u){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,i]=[t[0],t.at(-1)];if(n===void 0||i===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let o=Math.max(1e3,(i.us-n.us)*sn);this.#e.range={fromUs:Math.max(0,n.us-o),toUs:i.us+o}}#N(){if(this.#c=new Map,this.#s.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#s.length).entries())this.#c.set(n,this.#s[t])}#C(e){return this.#c.get(e)??\`#\${e}\`}#O({connection:e}){if(e===void 0)return"";let t=this.#c.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#D(){return nn*1e3*this.#e.speed}#M(){this.#o?.refresh(),this.#v=-1/0,this.#l()}#l(){this.#p!==0||this.#o===void 0||!this.isConnected||(this.#p=requestAnimationFrame(e=>this.#P(e)))}#P(e){this.#p=0;let t=this.#o;if(t===void 0)return;let n=le(),i=Math.min(100,e-(this.#b??e));if(n&&this.#e.isPlaying&&e-(this.#b??-1/0)<cn){this.#l();return}this.#b=e,this.#L();let o=this.#e.us,r=this.#r?this.#i.at(performance.now()):void 0;this.#e.advance(e,r);let{us:d}=this.#e,{view:a}=this;t.lingerUs=this.#D;let l=t.isLarge&&Math.abs(d-o)>1e6,c=t.show(a,i,n||l);(e-this.#v>=rn||!this.#e.isPlaying)&&(this.#v=e,this.#W(a)),(this.#e.isPlaying&&this.#h||c)&&this.#l()}#H(){let e=this.attachShadow({mode:"open"});N(e,$,K,Pe,Ae,He);let t=new te({nameOf:d=>this.#C(d),letterOf:d=>this.#O(d)});this.#o=t,t.canvas.addEventListener("click",d=>{let{x:a,y:l}=t.canvas.getBoundingClientRect(),c=t.hit({x:d.clientX-a,y:d.clientY-l});this.follow(c?.connection)}),this.#a=f("h2"),this.#y=f("p",{class:"sub"}),this.#w=f("p",{class:"now"}),this.#g=f("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=f("p"),i=f("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});this.#d={root:f("div",{class:"followed",children:[n,i]}),title:n,list:i},this.#d.root.hidden=!0;let o=qe();this.#f=o,this.#_(o);let r=new j(d=>this.#C(d),()=>this.#M());this.#k=r,e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[f("div",{class:"head",children:[this.#a,this.#y]}),t.root,o.root,this.#w,this.#d.root,Be(),r.root,this.#g]})),this.#q()}#_(e){let{play:t,live:n,slower:i,faster:o,back:r,step:d,time:a,follow:l}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#l()}),i.addEventListener("click",()=>this.#F(-1)),o.addEventListener("click",()=>this.#F(1)),r.addEventListener("click",()=>this.step(-1)),d.addEventListener("click",()=>this.step(1)),a.addEventListener("input",()=>{let{fromUs:c,toUs:u}=this.#e.range;this.#e.pause(),this.seek(c+Number(a.value)/Number(a.max)*(u-c))}),l.addEventListener("input",()=>{let c=Number(l.value);this.follow(l.value!==""&&Number.isInteger(c)?c:void 0)}),this.shadowRoot?.addEventListener("keydown",c=>this.#V(c))}#V(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,i=t instanceof HTMLButtonElement,{key:o}=e;if(o==="Escape")this.follow(void 0);else{if(n)return;if(o==="+")this.#F(1);else if(o==="-")this.#F(-1);else if(o===".")this.step(1);else if(o===",")this.step(-1);else if(o==="k"||o===" "&&!i&&t===this.#f?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#F(e){this.#e.changeSpeed(e),this.#M()}#q(){if(this.#a===void 0||this.#y===void 0)return;let{header:e}=this.#n;y(this.#a,this.getAttribute("data-title")??e?.by??""),y(this.#y,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#a.parentElement?.toggleAttribute("hidden",e===void 0&&this.#a.textContent==="")}#W(e){this.#z(e),this.#G(e),this.#Y(e),this.#k?.show(e),this.#j(e)}#z({us:e}){let t=this.#f;if(t===void 0)return;let{isPlaying:n,isLive:i,speed:o,range:r}=this.#e;y(t.play,n?"Pause":this.#e.isAtEnd&&!this.#r?"Again":"Play"),t.live.hidden=!this.#r,y(t.live,i?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(i)),y(t.speed,o>=1?\`\${o}×\`:\`1/\${Math.round(1/o)}×\`),t.slower.disabled=o<=D[0],t.faster.disabled=o>=D.at(-1);let d=Math.max(1,r.toUs-r.fromUs),{max:a}=t.time,l=String(Math.round((e-r.fromUs)/d*Number(a)));t.time.value!==l&&(t.time.value=l);let c=this.#r?i?"now":\`\${x(Math.max(0,r.toUs-e))} ago\`:\`\${x(Math.max(0,e-r.fromUs))} of \${x(d)}\`;y(t.moment,c),t.time.setAttribute("aria-valuetext",c)}#G({us:e,note:t,leftOut:n,isPartial:i}){if(this.#r&&this.#e.isPlaying){if(!i)return this.#$(t??"");let r=n.get("connections")??0;return this.#$(\`Too many connections to draw each of them: \${M(r)} were left out so far.\`)}let o=this.#n.dots.length>dn?void 0:this.#K(e);this.#$(o===void 0?t??"":this.#B(o))}#K(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#B({text:e,connection:t}){let n=t===void 0?void 0:this.#c.get(t),i=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return i.slice(0,1).toUpperCase()+i.slice(1)}#Y(e){let t=this.#d,n=this.#o?.followed;if(t===void 0||(t.root.hidden=n===void 0,n===void 0))return;let i=this.#n.lifeOf(n).slice(-ln),o=e.dots.find(h=>h.connection===n),r=o??this.#n.dots.find(h=>h.connection===n),d=o===void 0?"is not in the picture":\`\${o.place==="thread"?"is served by":"is here:"} \${me(o,e)}: \${ge(o,h=>this.#C(h))}\`,a=r===void 0?"":\`, from \${r.peer},\`;y(t.title,\`\${this.#C(n)}\${a} \${d}\`);let l=i.filter(({us:h})=>h<=e.us+.5).length,c=\`\${n} \${i.length} \${l} \${i.at(-1)?.us}\`;if(c===this.#E)return;this.#E=c;let{fromUs:u}=this.#e.range;t.list.replaceChildren(...i.map((h,g)=>f("li",{class:g<l?"past":"",children:[f("time",{text:x(Math.max(0,h.us-u))}),f("span",{text:this.#B(h)})]})))}#j({dots:e,totals:t}){let n=performance.now();if(this.#g===void 0||n-this.#S<an)return;let i=l=>e.filter(c=>c.place===l).length,o=i("thread"),r=i("accept queue")+i("hand-over queue"),d=Object.values(t.outcomes).reduce((l,c)=>l+c,0),a=\`\${o} served, \${r} waiting, \${d} over\`;a!==this.#U&&(this.#S=n,this.#U=a,y(this.#g,a))}};function un(s){let e=t=>t.type==="recording"?-1:t.at;return s.toSorted((t,n)=>e(t)-e(n))}z("model-figure",ne);var hn={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},fn=250,mn=2e3,ie=L("figure"),at=[new I({title:"Connections a second",series:[{name:"",of:({rate:s})=>s}],format:$e,least:10}),new I({title:"Life of a connection",series:[{name:"p50",of:({p50_us:s})=>s},{name:"p99",of:({p99_us:s})=>s}],format:x,least:1e3}),new I({title:"CPU",series:[{name:"",of:({cpu:s})=>s}],format:s=>\`\${Ce(s)} of a core\`,least:1}),new I({title:"Memory",series:[{name:"",of:({memory_bytes:s})=>s}],format:Ie,least:2**20})],rt=!1;N(document,$);L("charts").append(...at.map(({root:s})=>s));setInterval(yn,fn);dt();function L(s){return document.getElementById(s)}async function gn(){let s;try{s=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:i,version:o,details:r=[],actions:d=[]}=s;y(L("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let a=[t,n,...r,i,o&&\`version \${o}\`];y(L("about"),a.filter(l=>l!==void 0).map(String).join(" · ")),L("actions").hidden=d.length===0,L("buttons").replaceChildren(...d.map(l=>{let[c,u]=hn[l]??[String(l),""],h=f("button",{text:c,attributes:{type:"button",title:u}});return h.addEventListener("click",()=>{pn(String(l),h)}),h}))}async function pn(s,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:s})}),n=(await t.text()).trim();y(L("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{y(L("answer"),"The server does not answer.")}finally{e.disabled=!1,e.focus()}}function Me(s,e){let t=L("state");t.dataset.state=s,y(t,e)}function dt(){let s=new EventSource("events");s.addEventListener("message",({data:e})=>{let{lines:t}=C(String(e));t.some(({type:n})=>n==="recording")&&(ie.startLive(),Me("live","live"),gn()),ie.appendLines(t),t.some(({type:n})=>n==="end")&&(rt=!0,s.close(),ie.stopLive(),Me("ended","The server has ended. This is its last picture."))}),s.addEventListener("error",()=>{rt||(Me("lost","The server does not answer. This is its last picture; trying again …"),s.readyState===EventSource.CLOSED&&(s.close(),setTimeout(dt,mn)))})}function yn(){if(document.hidden)return;let{us:s,scene:e,view:t}=ie;for(let r of at)r.show(e.figures,s);let{counters:n={}}=t,i=L("counters"),o=Object.keys(n);i.dataset.names!==o.join()&&(i.dataset.names=o.join(),i.replaceChildren(...o.map(r=>f("div",{children:[f("dt",{text:r.replaceAll("_"," ")}),f("dd")]}))));for(let[r,d]of[...i.querySelectorAll("dd")].entries())y(d,M(n[o[r]]??0))}})();
;
    </script>
  </body>
</html>
`;
