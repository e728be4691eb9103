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

#state[data-state="silent"]::before,
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
    "use strict";(()=>{var kt=[["µs",1],["ms",1e3],["s",1e6]],He=[["",1],["k",1e3],["M",1e6],["G",1e9]],Tt=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],_e="–",ye=3;function x(r){return W(r,kt)}var Ae=[["min",60],["h",3600]];function Fe(r){if(be(r))return _e;if(r>0&&r<1){let[t,n]=Ae.find(([,s])=>r*s>=1)??Ae[1],o=r*n,i=Math.round(o);return\`\${Math.abs(o-i)<.001&&i>0?i:Be(o)} /\${t}\`}let e=W(r,He);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function k(r){return W(r,He)}function Ve(r){return W(be(r)?r:Math.round(r),Tt)}function qe(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function be(r){return r===null||Number.isNaN(r)}function W(r,e){if(be(r))return _e;for(let[t,[n,o]]of e.entries()){let i=o===1&&Number.isInteger(r)?String(r):Be(r/o),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(i)*o>=s))return n===""?i:\`\${i} \${n}\`}return String(r)}function Be(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,ye-e));return Number(t)>=10**e&&e<ye?r.toFixed(ye-e-1):t}var M=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],We=new Map(M.map(({look:r,shape:e})=>[r,e]));function R({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return Et[e];case"closing":return"ended";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var Et={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},Mt={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},O=\`:host, :root {
\${Object.entries(Mt).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${M.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var K=globalThis.HTMLElement??class{};function f(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,o]of Object.entries(e.attributes??{}))t.setAttribute(n,o);return t.append(...e.children??[]),t}function g(r,e){r.textContent!==e&&(r.textContent=e)}var Ke=new Map;function N(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ke.get(t);if(n!==void 0)return n;let o=new CSSStyleSheet;return o.replaceSync(t),Ke.set(t,o),o})}function z(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function G(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function we(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var ze=6e7,St=[[],[5,3]],ve=72,C=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=f("p",{class:"value",text:"–"}),this.#i=f("span",{class:"top"}),this.#n=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("figure",{class:"chart",children:[f("figcaption",{children:[f("h3",{text:e.title}),this.#e]}),f("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:o,least:i,unit:s=1}=this.#t,d=e.filter(({at:h})=>h>t-ze&&h<=t),a=d.at(-1),l=n.map(({name:h,of:m})=>{let p=a===void 0?void 0:m(a),b=p===void 0?"not known":o(p);return h===""?b:\`\${h} \${b}\`});g(this.#e,l.join(" · "));let c=d.flatMap(h=>n.map(({of:m})=>m(h)??0)),u=Lt(Math.max(i,...c)/s)*s;g(this.#i,o(u)),this.#o(d,t,u)}#o(e,t,n){let{width:o}=this.#n.getBoundingClientRect(),i=Math.min(2,devicePixelRatio),[s,d]=[Math.round(o*i),Math.round(ve*i)];(this.#n.width!==s||this.#n.height!==d)&&(this.#n.width=s,this.#n.height=d);let a=this.#n.getContext("2d");if(a===null)return;let l=getComputedStyle(this.#n);a.setTransform(i,0,0,i,0,0),a.clearRect(0,0,o,ve);let c=h=>(1-(t-h)/ze)*o,u=h=>1+(1-h/n)*(ve-2);a.strokeStyle=l.borderBottomColor,a.lineWidth=1;for(let h of[0,1])a.beginPath(),a.moveTo(0,u(h*n)),a.lineTo(o,u(h*n)),a.stroke();a.strokeStyle=l.color,a.lineWidth=1.75,a.lineJoin="round";for(let[h,{of:m}]of this.#t.series.entries()){a.setLineDash([...St[h]??[]]),a.beginPath();let p=!1;for(let b of e){let w=m(b);if(w===void 0){p=!1;continue}p?a.lineTo(c(b.at),u(w)):a.moveTo(c(b.at),u(w)),p=!0}a.stroke()}a.setLineDash([])}};function Lt(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var Ot={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function Y(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let o=Ct(n);o===void 0?t++:e.push(o)}return{lines:e,damaged:t}}function Ct(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(Ot[t.type]??["at"]).every(o=>Number.isFinite(t[o])))&&!(t.type==="recording"&&t.version!==1))return e}function Q(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var D=class{#t;async load(e,t,n){this.stop();let{signal:o}=this.#t=new AbortController;try{let i=await fetch(e,{signal:o});if(!i.ok)throw new Error(\`the answer is \${i.status}\`);let{lines:s}=Y(await i.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(i){if(o.aborted)return;n(\`Cannot show \${e}: \${i instanceof Error?i.message:String(i)}\`)}}stop(){this.#t?.abort()}};var $t=1e3,It=3e4,Rt=300,Nt=5e3,Dt=1e3,j=class{#t;#e;#i;#n;#o=0;#s=0;constructor(e){this.#t=e,this.#a(),setInterval(()=>this.#c(),Dt),document.addEventListener("visibilitychange",()=>{document.hidden||this.#i===void 0||(this.#o=0,this.#a())})}#r(e,t,n){this.#n=e,this.#t.state({kind:e,text:t,...n!==void 0&&{page:n}})}#a(){clearTimeout(this.#i),this.#i=void 0;let e=this.#e=new EventSource("events");e.addEventListener("message",({data:t})=>this.#d(String(t))),e.addEventListener("error",()=>{e.close(),e===this.#e&&this.#l()})}#d(e){let{lines:t}=Y(e);this.#s=performance.now(),this.#o=0,t.some(({type:o})=>o==="recording")&&this.#t.begins(),this.#n!=="live"&&this.#r("live","live"),this.#t.lines(t);let n=t.find(o=>o.type==="end");n!==void 0&&this.#h(n)}#h({successor:e,page:t}){if(this.#e?.close(),this.#e=void 0,e===void 0)return this.#r("ended","The server has ended. This is its last picture.");let n=\`Process \${e} serves now\`;if(t===void 0)return this.#r("ended",\`\${n}, and has no page. This is the last picture.\`);if(!(URL.canParse(t)&&new URL(t).pathname===location.pathname))return this.#r("ended",\`\${n}. This is the last picture.\`,t);this.#r("lost",\`\${n}: connecting to it …\`),this.#i=setTimeout(()=>this.#a(),Rt)}async#l(){this.#e=void 0,this.#n!=="lost"&&this.#r("lost","The server does not answer …");let e=0;try{({status:e}=await fetch("events",{method:"HEAD"}))}catch{}if(e===404||e===421)return this.#r("ended","Another server is here now. It has printed the address of its own page. This is the last picture of the one before.");let t=Math.min(It,$t*2**this.#o++),n=k(Math.round(t/1e3)),o=e===0?"The server does not answer. This is its last picture":e===503?"Too many read along, and the server tells nobody else":"The link to the server has broken. This is its last picture";this.#r("lost",\`\${o}; trying again in \${n} s.\`),this.#i=setTimeout(()=>this.#a(),t)}#c(){this.#e===void 0||this.#n!=="live"||performance.now()-this.#s<Nt||this.#r("silent","The server says nothing. Perhaps its process is stopped.")}};var xe={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function ke(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let o of r)if(o.type==="socket"&&o.waiting===!0)e.has(o.remote)||e.set(o.remote,o.at);else if(o.type==="begun"){let{connection:i,peer:s,at:d}=o;t.set(i,{peer:s,fromUs:e.get(s)??d,toUs:n}),e.delete(s)}else if(o.type==="over"){let i=t.get(o.connection);i!==void 0&&(i.toUs=o.at)}return[...t.values()].sort((o,i)=>o.fromUs-i.fromUs)}var Pt=["computing","queue","accept","thread"],At=["queue","accept","thread"],Ht=1e3;function Te(r,e){let t=e.map(n=>_t(r,n));return e.map((n,o)=>{let i=t[o],d=t.filter(p=>p!==i).filter(({thread:p})=>p===i.thread),a={accept:[[n.fromUs,i.begunUs]],queue:[[i.begunUs,i.servedUs]],thread:[...d.flatMap(({busy:p})=>p),...i.awaiting],computing:i.computing,talk:[]},l=Ft(n,a),c=l.filter(({doing:p})=>At.includes(p)),u=t.map(p=>{if(p===i)return 0;let b=d.includes(p)?p.holds:[],w=i.awaiting.flatMap(E=>Ge(E,p.computing)),y=[...b,...w];return Vt(c.flatMap(({fromUs:E,toUs:me})=>Ge([E,me],y)))}),h=Math.max(...u),m=h>=Ht;return{stretches:l,waitedUs:m?h:0,waitedFor:m?u.indexOf(h):void 0}})}function _t(r,e){let t=r.find(p=>p.type==="begun"&&p.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,o=r.filter(p=>"connection"in p&&p.connection===n),i=o.find(p=>p.type==="served"),s=o.find(p=>p.type==="over"),d=i?.type==="served"?i.thread:void 0,a=o.filter(p=>p.type==="span"),l=p=>a.filter(b=>b.name===p).map(({at:b,to:w})=>[b,w]),c=r.some(p=>p.type==="thread"&&p.thread===d&&p.loop===!0),u=t?.at??e.toUs,h=i?.at??u,m=c?l("turn"):[];return{begunUs:u,servedUs:h,thread:d,computing:l("computing"),awaiting:l("waiting for computing"),busy:m,holds:c?m:[[h,s?.at??e.toUs]]}}function Ft({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),o=[...new Set([r,...n,e])].sort((s,d)=>s-d),i=[];for(let s=1;s<o.length;s++){let[d,a]=[o[s-1],o[s]],l=(d+a)/2,c=Pt.find(h=>t[h].some(([m,p])=>m<=l&&l<p))??"talk",u=i.at(-1);u?.doing===c?i[i.length-1]={...u,toUs:a}:i.push({doing:c,fromUs:d,toUs:a})}return i}function Ge([r,e],t){return t.map(([n,o])=>[Math.max(n,r),Math.min(o,e)]).filter(([n,o])=>n<o)}function Vt(r){let[e,t]=[0,-1/0];for(let[n,o]of r.toSorted(([i],[s])=>i-s))e+=Math.max(0,o-Math.max(n,t)),t=Math.max(t,o);return e}var X=\`
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
td button.small { min-height: 1.5rem; padding: 0 0.4rem; }
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
\`,Ye=\`
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
\`,Qe=\`
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
\`,je=\`
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
\`;var J=class extends K{static observedAttributes=["src","data-title","names"];#t=[];#e=[];#i;#n;#o=new D;get lines(){return this.#t}set lines(e){this.#t=e,this.draw()}get names(){return this.#e}set names(e){this.#e=e,this.draw()}connectedCallback(){this.#n===void 0&&this.#s(),this.draw()}disconnectedCallback(){this.#o.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#o.load(n,o=>this.lines=o,o=>this.#n?.replaceChildren(f("p",{class:"note",text:o}))),e==="names"&&(this.names=G(n)),e==="data-title"&&this.draw()}draw(){if(this.#n===void 0||this.#i===void 0)return;let e=this.getAttribute("data-title")??"";g(this.#i,e),this.#i.parentElement.hidden=e==="",this.drawIn(this.#n)}#s(){let{style:e,label:t,bodyClass:n,legend:o}=this.frame,i=this.attachShadow({mode:"open"});N(i,O,X,e),this.#i=f("h2"),this.#n=f("div",n===void 0?{}:{class:n});let s=f("div",{class:"head",children:[this.#i]});i.append(f("div",{class:"frame",attributes:{role:"group","aria-label":t},children:[s,this.#n,...o===void 0?[]:[o()]]}))}};var qt=24,Bt=5,Xe={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},Wt=\`
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
\`,Z=class extends J{frame={style:Wt,label:"Who waited for whom",bodyClass:"rows-and-scale",legend:Qt};#t;get visits(){return this.#t}set visits(e){this.#t=e,this.draw()}drawIn(e){let t=Q(this.lines).filter(m=>m.type!=="recording"),n=this.#t??ke(t);if(n.length===0){this.lines.length>0&&e.replaceChildren(f("p",{class:"note",text:"No client has come."}));return}let o=n.slice(0,qt),i=Te(t,o),s=Math.min(...o.map(({fromUs:m})=>m)),d=Math.max(s+1,...o.map(({toUs:m})=>m)),a=m=>this.names[m]??\`client \${m+1}\`,l=t.find(({type:m})=>m==="closing")?.at??1/0,c=l<d?l:void 0,u=o.map((m,p)=>Kt(m,i[p],{name:a,index:p,fromUs:s,lengthUs:d-s,toldUs:c})),h=[f("ul",{class:"rows",children:u}),Gt(d-s)];if(c!==void 0){let m=\`The upright line is when the server was told to close, after \${x(c-s)}.\`;h.push(f("p",{class:"note",text:m}))}if(n.length>o.length){let m=\`\${n.length-o.length} more clients are not drawn.\`;h.push(f("p",{class:"note",text:m}))}e.replaceChildren(...h)}};function Kt({fromUs:r,toUs:e},t,n){let o=f("span",{class:"told"});o.hidden=n.toldUs===void 0,o.style.left=\`\${((n.toldUs??0)-n.fromUs)/n.lengthUs*100}%\`;let i=f("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...t.stretches.map(s=>{let d=f("span",{class:Je(s.doing)});return d.style.left=\`\${(s.fromUs-n.fromUs)/n.lengthUs*100}%\`,d.style.width=\`\${(s.toUs-s.fromUs)/n.lengthUs*100}%\`,d.title=\`\${xe[s.doing]}: \${x(s.toUs-s.fromUs)}\`,d}),o]});return f("li",{class:"client",children:[f("span",{class:"name",text:n.name(n.index)}),i,f("span",{class:"length",text:x(e-r)}),f("span",{class:"waited",text:zt(t,n.name)})]})}function zt({stretches:r,waitedFor:e,waitedUs:t},n){let o=r.reduce((d,{doing:a,fromUs:l,toUs:c})=>d+(a==="computing"?c-l:0),0),i=o>=1?\`the server computed \${x(o)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${x(t)} for \${n(e)}\`,i].filter(d=>d!=="").join("; ")}function Je(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${Xe[r]}\`}function Gt(r){let e=r/Bt,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(i=>i*t).find(i=>i>=e)??e,o=[];for(let i=0;i<=r;i+=n){let s=f("span",{text:i===0?"0":Yt(i)});s.style.left=\`\${i/r*100}%\`,o.push(s)}return f("div",{class:"scale",attributes:{"aria-hidden":"true"},children:o})}function Yt(r){return x(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function Qt(){return f("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(Xe).map(r=>f("li",{children:[f("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[jt(r)]}),f("span",{class:"words",text:xe[r]})]}))})}function jt(r){let e=f("span",{class:Je(r)});return e.style.left="0",e.style.width="100%",e}z("client-timeline",Z);function Ze(){let r=(h,m,p="")=>f("button",{class:p,text:h,attributes:{type:"button",...m!==void 0&&{"aria-label":m,title:m}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),o=r("+","Faster (+)","small"),i=f("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),d=r("Step ▸","Step on to what happens next (.)"),a=f("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),l=f("output"),c=f("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:f("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,d,f("span",{class:"speed",children:[n,i,o]}),f("span",{class:"time",children:[a,l]}),f("label",{children:[f("span",{text:"Follow #"}),c]})]}),play:e,live:t,slower:n,faster:o,speed:i,back:s,step:d,time:a,moment:l,follow:c}}function et(){return f("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:M.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>f("li",{children:[f("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),f("span",{class:"words",text:t})]}))})}var tt=100;function Ee({place:r,thread:e},{threads:t}){return r!=="thread"?r:t.find(({number:n})=>n===e)?.name??"a thread"}function Me(r,e){let t=M.find(({look:s})=>s===R(r))?.words??r.doing,{task:n,waitsFor:o}=r,i=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${i}\${o===void 0?"":\`, for \${e(o)}\`}\`}var ee=class{root;#t;#e=new te;#i;#n=f("p");constructor(e,{onOpen:t,onFollow:n}){this.#t=e,this.#i=new te(s=>{let d=this.#o.find(a=>a.id===s);d!==void 0&&n(d)});let o=["Where","Connections","What happens there"],i=["Connection","From","Where","What it does","Since"];this.root=f("details",{children:[f("summary",{text:"The same as a table"}),f("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[nt("Where connections are",o,this.#e.body),nt("Connections",i,this.#i.body),this.#n]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;let t=this.#s(e).slice(0,tt);this.#e.fill(new Map(t.map(s=>[s[0],s])));let{dots:n,us:o}=e;this.#o=n.slice(0,tt),this.#i.fill(new Map(this.#o.map(s=>[s.id,[s.connection===void 0?"not accepted yet":this.#t(s.connection),s.peer,Ee(s,e),Me(s,this.#t),x(Math.max(0,o-s.sinceUs))]])));let i=n.length-this.#o.length;g(this.#n,i>0?\`and \${i} more\`:"")}#o=[];#s(e){let{dots:t,threads:n,listeners:o,hasHandOver:i,queued:s,totals:d}=e,a=u=>t.filter(h=>h.place===u).length,l=o.map(({waiting:u,limit:h})=>\`\${u??"?"} of \${h??"?"}\`),c=["Hand-over queue",String(a("hand-over queue")),\`counted: \${s??"?"}\`];return[["Accept queue",l.join(", ")||"not known",\`\${a("accept queue")} seen there\`],...i?[c]:[],...n.filter(({kind:u})=>u!=="other").map(u=>[u.name,String(u.dots.length),this.#r(u,e)]),...Object.entries(d.endings).map(([u,h])=>[\`Ended: \${u}\`,String(h),"since the picture began"])]}#r({activity:e,isLoop:t,turns:n},{us:o}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:i,task:s,connection:d,sinceUs:a}=e,l=d===void 0?"":\` for \${this.#t(d)}\`,c=x(Math.max(0,o-a));return\`\${i}\${s===void 0?"":\` \${s}\`}\${l}, \${c}\`}};function nt(r,e,t){let n=e.map(o=>f("th",{text:o,attributes:{scope:"col"}}));return f("table",{children:[f("caption",{text:r}),f("thead",{children:[f("tr",{children:n})]}),t]})}var te=class{body=f("tbody");#t=new Map;#e;constructor(e){this.#e=e}fill(e){for(let[n,o]of this.#t)e.has(n)||(o.remove(),this.#t.delete(n));let t=this.body.firstElementChild;for(let[n,o]of e){let i=this.#t.get(n)??this.#i(n,o.length);i===t?t=t.nextElementSibling:this.body.insertBefore(i,t),o.forEach((s,d)=>{let a=i.cells[d];g(a.querySelector("button")??a,s)})}}#i(e,t){let n=f("tr",{children:Array.from({length:t},()=>f("td"))}),o=this.#e;if(o!==void 0){let s=f("button",{class:"small",attributes:{type:"button",title:"Follow it"}});s.addEventListener("click",()=>o(e)),n.cells[0]?.append(s)}return this.#t.set(e,n),n}};var Xt=200,ne=class{root;#t;#e=f("p");#i=f("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});#n;#o;#s="";#r="";constructor(e){this.#t=e,this.root=f("div",{class:"followed",children:[this.#e,this.#i]}),this.root.hidden=!0}get connection(){return this.#n}get isSomebody(){return this.#n!==void 0||this.#o!==void 0}follow({connection:e,id:t}={}){this.#n=e,this.#o=t,this.#s="",this.#r="",this.#i.replaceChildren()}is({connection:e,id:t}){return this.#n===void 0?t===this.#o:e===this.#n}renew(){this.#o=void 0,this.#s=""}show(e,t,n){if(this.root.hidden=!this.isSomebody,!this.isSomebody)return;let o=t.find(this.#n,this.#o);if(o===void 0){let a=this.#n===void 0?"It":this.#t.nameOf(this.#n),l=this.#s===""?"is not known: it has not come yet, or is no longer remembered":"is no longer remembered: it was over long ago";return g(this.#e,\`\${a}\${this.#r} \${l}\`)}this.#n=o.connection,this.#o=o.id;let i=t.lifeOf(o).slice(-Xt);this.#r=\`, from \${o.peer},\`;let s=o.connection===void 0?"A connection that is not accepted yet":this.#t.nameOf(o.connection),d=e.dots.find(({id:a})=>a===o.id);g(this.#e,\`\${s}\${this.#r} \${this.#a(d,e,i)}\`),this.#d(o,e,n,i)}#a(e,t,n){return e!==void 0?\`\${\`\${e.place==="thread"?"is served by":"is here:"} \${Ee(e,t)}\`}: \${Me(e,this.#t.nameOf)}\`:n.some(({us:i})=>i<=t.us)?"is in the picture no more":"is not there yet"}#d({id:e},t,n,o){let i=o.filter(({us:d})=>d<=t.us+.5).length,s=\`\${e} \${o.length} \${i} \${o.at(-1)?.us}\`;s!==this.#s&&(this.#s=s,this.#i.replaceChildren(...o.map((d,a)=>f("li",{class:a<i?"past":"",children:[f("time",{text:x(Math.max(0,d.us-n))}),f("span",{text:this.#t.named(d)})]}))))}};var P=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],ie=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?P.find(n=>n>this.speed):P.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},Jt=3e5,Zt=1e-4,F=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*Zt;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-Jt}};function Se(r,e){let t=[],{connection:n,peer:o,queued:i,accepting:s}=r,d=n===void 0?o:\`#\${n}\`,a=(c,u)=>t.push({us:c,text:u,connection:n});s!==void 0&&a(s.at,\`\${d} is in the accept queue\`),r.begunUs<1/0&&a(r.begunUs,\`\${d} is accepted\`),i!==void 0&&a(i.at,\`\${d} waits in the hand-over queue\`),r.servedUs<1/0&&a(r.servedUs,\`\${e(r.server)} begins to serve \${d}\`);for(let{at:c,to:u,task:h,thread:m}of r.computing?.all??[]){let p=h===void 0?"":\` \${h}\`;a(c,\`\${e(m)} begins to compute\${p} for \${d}\`),a(u,\`\${e(m)} has computed\${p} for \${d}\`)}for(let{at:c,to:u}of r.awaiting?.all??[])a(c,\`\${d} waits while another thread computes\`),a(u,\`\${d} has the result\`);for(let{at:c,to:u}of r.writing?.all??[])a(c,\`\${d} waits for its peer to take what was sent\`),a(u,\`the peer of \${d} has taken it\`);if(r.over!==void 0){let{outcome:c,failure:u}=r.over,h=u===void 0?"":\`, \${u}\`,m=c==="unknown"?": how was left out":\`: \${c}\${h}\`;a(r.overUs,\`\${d} is over\${m}\`)}let l=r.endUs(!0);return l<1/0&&r.endedWith!==void 0&&a(l,\`\${d} has ended with \${r.endedWith}\`),t}function H(r,e,t){let[n,o]=[0,r.length];for(;n<o;){let i=n+o>>1;e(r[i])<=t?n=i+1:o=i}return n}function Le(r,e,t){let n=e(t),o=r.at(-1);if(o===void 0||e(o)<=n)return r.push(t)-1;let i=H(r,e,n);return r.splice(i,0,t),i}var A=({at:r})=>r,it=r=>r,U=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=Le(this.#e,A,e),n=t-1,o=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,o);for(let i=t;i<this.#e.length;i++)this.#i[i]=o,o+=this.#t(this.#e[i])}find(e){let t=this.#e[H(this.#e,A,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[H(this.#e,A,e)-1]}weightAt(e){let t=H(this.#e,A,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:i})=>i>=e),n=t<0?this.#e.length:t;if(n===0)return;let o=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(o),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},L=class{#t=[];add(e,t){Le(this.#t,A,{at:e,value:t})}get all(){return this.#t}countAt(e){return H(this.#t,A,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},_=class{#t=[];#e=0;add(e){Le(this.#t,it,e)}countAt(e){return this.#e+H(this.#t,it,e)}forget(e){let t=this.#t.findIndex(o=>o>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};var oe=class{number;name;isLoop=!1;presence=new L;computing=new U;writing=new U;turns=new U(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return V("computing",t);if(n!==void 0)return V("writing",n);let{open:o}=this;if(o!==void 0&&o.at<=e&&e<o.to){if(o.what==="computing"||o.what==="writing")return V(o.what,o);if(o.what==="turn")return V("turn",o)}let i=this.turns.find(e);return i&&V("turn",i)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function V(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var Ue=1e3;function ot(r,e,t){let n=r.activityAt(e);if(r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=Ue))for(let i of t)i.doing!=="reading"||i.connection===n.connection||(i.doing="waiting for the loop",i.waitsFor=n.connection,i.sinceUs=Math.max(i.sinceUs,n.sinceUs));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var re=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;over;computing;awaiting;writing;open;constructor(e,t){this.id=e,this.peer=t}add(e,t){(this[e]??=new U).add(t)}forget(e){this.computing?.forget(e),this.awaiting?.forget(e),this.writing?.forget(e)}get fromUs(){return Math.min(this.seenUs,this.begunUs,this.inQueue?.at??1/0)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get accepting(){let e=Math.min(this.leftUs,this.begunUs,this.goneUs,this.inQueue?.at??1/0);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}hasEnded(e,t){let n=this.begunUs===1/0?this.goneUs:this.overUs;return e>=n&&e>=this.endUs(t)}endUs(e){return this.begunUs===1/0?this.goneUs:this.overUs===1/0?1/0:this.goneUs<1/0?Math.max(this.overUs,this.goneUs):e&&this.over?.outcome!=="unknown"?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.hasEnded(e,t),o=e>=this.overUs||n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=o?this.over?.outcome:void 0,this.failure=o?this.over?.failure:void 0,this.ending=n?this.endedWith??"unknown":void 0,n?this.#t("ended",this.endUs(t)):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{queued:t}=this,n=t===void 0?this.servedUs===1/0:t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing?.find(e)??Oe(t,"computing",e),o=this.awaiting?.find(e)??Oe(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let i=o??n;if(i!==void 0)return this.#n("waiting for computing",i);let s=this.writing?.find(e)??Oe(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading",this.sinceUs=Math.max(this.servedUs,this.computing?.last(e)?.to??0,this.awaiting?.last(e)?.to??0,this.writing?.last(e)?.to??0)}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function Oe(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var se=class{#t=[];#e=[];#i=!0;#n=[];#o=0;#s=-1/0;#r=0;get all(){return this.#a(),this.#t}add(e){this.#e.push(e)}comes({fromUs:e},t){t<1/0&&e<t&&(this.#i=!1)}lookAnew(){this.#s=1/0}keep(e){this.#a(),this.#t=this.#t.filter(e),this.lookAnew()}presentAt(e,t,n){this.#a();let o=e>=this.#s&&t===this.#r;o||(this.#n=[],this.#o=0);let i=s=>s.hasEnded(e-t,n);for(o&&this.#n.some(i)&&(this.#n=this.#n.filter(s=>!i(s)));this.#o<this.#t.length;this.#o++){let s=this.#t[this.#o];if(s.fromUs>e)break;i(s)||this.#n.push(s)}return this.#s=e,this.#r=t,this.#n}#a(){let e=this.#e;if(!(this.#i&&e.length===0)){if(this.#e=[],this.#i&&e.length<=256){for(let t of e)this.#d(t);return}for(let t of e)this.#t.push(t);this.#t.sort((t,n)=>t.fromUs-n.fromUs),this.#i=!0,this.lookAnew()}}#d(e){let t=this.#t,{fromUs:n}=e,o=t.length;for(;o>0&&t[o-1].fromUs>n;)o--;o===t.length?t.push(e):t.splice(o,0,e),!(o>=this.#o)&&(this.#o++,this.#n.push(e))}};var en=7e5,tn=.1,nn=["done","cut","empty","failed","unknown"],on=["FIN","RST","unknown"],dt={fin:"FIN",reset:"RST",unknown:"unknown"},$=class{header;isFinished=!1;#t;#e=new Map;#i=new Map;#n=new se;#o=new Map;#s=new Map;#r=new Map;#a=new Map;#d=new _;#h=new Map(nn.map(e=>[e,new _]));#l=new Map(on.map(e=>[e,new _]));#c=new L;#E;#m=new L;#g=new L;#w=new Map;#y=!1;#v=!1;#L=0;#u=1/0;#x=0;#p=1/0;#U=0;#$;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#u===1/0?0:this.#u,this.#U)}get toUs(){return this.#x}get firstUs(){let e=this.#n.all[0]?.fromUs??1/0;return e===1/0?void 0:e}get figures(){return this.#m.all.map(({value:e})=>e)}get dots(){return this.#n.all}add(e){for(let n of e)this.#P(n);this.#$=void 0;let t=this.#x-this.#t;t-this.#U>this.#t*tn&&this.#f(t)}at(e,t=0){let n=this.#n.presentAt(e,t,this.#y),o=new Map;for(let h of n){if(h.look(e,this.#y),h.place!=="thread"||h.server===void 0)continue;let m=o.get(h.server);m===void 0?o.set(h.server,[h]):m.push(h)}let i=[];for(let h of this.#e.values()){let m=o.get(h.number)??[];h.presence.at(e)!==!0&&m.length===0||i.push(ot(h,e,m))}rn(n,i);let s=this.#c.at(e),d=s?.queued,a=new Map([...this.#w].map(([h,m])=>[h,m.at(e)??0])),l=at(this.#l,e),u=![...a].some(([h,m])=>h!=="spans"&&m>0)?0:this.#D(s,l,n);return{us:e,dots:n,threads:i.sort((h,m)=>h.number-m.number),listeners:[...this.#i.values()].map(({local:h,course:m})=>{let{waiting:p,limit:b}=m.at(e)??{};return{local:h,waiting:p,limit:b}}),hasHandOver:this.#v||i.some(({kind:h})=>h==="accepts"),queued:d,totals:{begun:this.#d.countAt(e),outcomes:at(this.#h,e),endings:{...l,unknown:l.unknown+u}},counters:s,figures:this.#m.at(e),leftOut:a,isPartial:e-(this.#w.get("connections")?.last(e)?.at??-1/0)<en,isClosing:e>=this.#p,note:this.#g.at(e)}}countersAt(e){return this.#c.at(e)}#D(e,t,n){let o=this.#E;if(e===void 0||o===void 0)return 0;let i=({accepted:a=0,live:l=0})=>a-l,s=t.FIN+t.RST+t.unknown,d=n.reduce((a,{place:l})=>a+(l==="closing"?1:0),0);return Math.max(0,i(e)-i(o)-s-d)}find(e,t){return e!==void 0?this.#o.get(e):this.#n.all.find(n=>n.id===t)}lifeOf(e){return rt(Se(e,this.#b))}happenings(){return this.#$??=rt([...this.#n.all.flatMap(e=>Se(e,this.#b)),...this.#M()])}#M(){let e=this.#p;return this.#n.all.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#b=e=>this.#e.get(e??0)?.name??"a thread";#P(e){if(e.type==="recording"){this.header=e;return}switch(this.#u=Math.min(this.#u,e.at),this.#x=Math.max(this.#x,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#I(e);case"begun":return this.#O(e);case"queued":{this.#v=!0;let t=this.#o.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#o.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#h.get(e.outcome)?.add(e.at);let t=this.#o.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#H(e);case"doing":return this.#R(e);case"socket":return this.#N(e);case"connection":return this.#k(e);case"listener":{let t=e.cookie??e.local,n=this.#i.get(t)??{local:e.local,course:new L};this.#i.set(t,n),n.course.add(e.at,e);return}case"counters":this.#E??=e.values,this.#c.add(e.at,e.values);return;case"figures":this.#m.add(e.at,e);return;case"closing":this.#p=Math.min(this.#p,e.at);return;case"note":this.#g.add(e.at,e.text);return;case"left_out":{let t=this.#w.get(e.what)??new L;this.#w.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count),e.what!=="spans"&&this.#T(e.at);return}case"end":this.isFinished=!0}}#I({thread:e,name:t,loop:n,gone:o,at:i}){let s=this.#e.get(e)??new oe(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(i,o!==!0),o===!0&&(s.open=void 0)}#O(e){let{at:t,connection:n,peer:o,cookie:i,connected:s=1/0,by:d}=e;this.#d.add(t);let l=(i===void 0?void 0:this.#r.get(i))??this.#s.get(o),u=l!==void 0&&l.connection===void 0&&t<l.goneUs?l:this.#C(o);u.goneUs<1/0&&this.#n.lookAnew();let{fromUs:h}=u;u.connection=n,u.begunUs=t,u.seenUs=Math.min(u.seenUs,s),this.#n.comes(u,h),u.isOwn=d==="page",this.#o.set(n,u),i!==void 0&&this.#r.set(i,u);let m=this.#a.get(o);m!==void 0&&(this.#a.delete(o),m.at>=t&&st(u,m))}#C(e){let t=new re(++this.#L,String(e));return this.#n.add(t),this.#s.set(e,t),t}#H(e){let{name:t,at:n,to:o,thread:i,task:s}=e,d=i===void 0?void 0:this.#e.get(i);d?.open!==void 0&&d.open.at<o&&(d.open=void 0);let a=e.connection===void 0?void 0:this.#o.get(e.connection);a?.open!==void 0&&a.open.at<o&&(a.open=void 0);let l={at:n,to:o,thread:i,task:s};switch(t){case"computing":d?.computing.add(e),a?.add("computing",l);return;case"waiting for computing":a?.add("awaiting",l);return;case"writing":d?.writing.add(e),a?.add("writing",l);return;case"turn":case"turns":d?.turns.add(e)}}#R(e){let{at:t,thread:n,connection:o,peer:i,what:s,task:d}=e;if(i!==void 0)return this.#S(i,t,s!==void 0);let a=n===void 0?void 0:this.#e.get(n);if(s===void 0){let c=a===void 0?o:a.open?.connection;a?.open!==void 0&&(a.open={...a.open,to:t});let u=this.#o.get(c??0);u?.open!==void 0&&(u.open={...u.open,to:t});return}a!==void 0&&(a.open={...e,to:1/0});let l=this.#o.get(o??0);l!==void 0&&(l.open={at:t,to:1/0,thread:n,task:d,what:s})}#S(e,t,n){this.#v=!0;let o=this.#A(e,t);if(n){let i=o?.connection===void 0&&o!==void 0?o:this.#C(e),{fromUs:s}=i;i.inQueue={at:t,to:1/0},this.#n.comes(i,s)}else o?.inQueue!==void 0&&(o.inQueue={...o.inQueue,to:t})}#N({at:e,cookie:t,remote:n,state:o,end:i,waiting:s,connected:d=e}){if(i==="client")return;this.#y||this.#n.lookAnew(),this.#y=!0;let a=this.#r.get(t)??this.#A(n,e);if(o==="CLOSE"){if(this.#r.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}if(s===!0){a??=this.#C(n);let{fromUs:l}=a;a.seenUs=Math.min(a.seenUs,d),this.#n.comes(a,l)}else a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e));a!==void 0&&this.#r.set(t,a)}#A(e,t){let n=this.#s.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#k(e){this.#l.get(dt[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#r.get(e.cookie))??this.#s.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?(n.goneUs<e.at&&this.#n.lookAnew(),st(n,e)):this.#a.set(e.remote,e)}#T(e){let t=new Set(this.#r.values());for(let n of this.#n.all)n.overUs<=e&&n.goneUs===1/0&&!t.has(n)&&(n.goneUs=e)}#f(e){this.#U=e;let t=({doneUs:n})=>n<e;this.#n.keep(n=>t(n)?(n.connection!==void 0&&this.#o.delete(n.connection),this.#s.get(n.peer)===n&&this.#s.delete(n.peer),!1):!0);for(let[n,o]of this.#r)t(o)&&this.#r.delete(n);for(let[n,{at:o}]of this.#a)o<e&&this.#a.delete(n);for(let n of this.#n.all)n.forget(e);for(let[n,o]of this.#e){o.forget(e);let{all:i}=o.presence;i.length===1&&i[0]?.value===!1&&i[0].at<e&&this.#e.delete(n)}for(let{course:n}of this.#i.values())n.forget(e);for(let n of[this.#d,...this.#h.values(),...this.#l.values()])n.forget(e);for(let n of[this.#c,this.#m,this.#g,...this.#w.values()])n.forget(e)}};function rt(r){return r.toSorted((e,t)=>e.us-t.us)}function st(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=dt[t]??"unknown"}function at(r,e){let t=[...r].map(([n,o])=>[n,o.countAt(e)]);return Object.fromEntries(t)}function rn(r,e){let t=s=>{let d=e.filter(a=>a.kind===s);return d.length===1?d[0]:void 0},n=t("serves"),o=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,i=t("computes")?.activity?.connection;for(let s of r){let{place:d,doing:a,connection:l}=s;d==="accept queue"||d==="hand-over queue"?s.waitsFor=o:a==="waiting for computing"&&l!==i&&(s.waitsFor=i)}}var sn=Math.PI*(3-Math.sqrt(5));function ct(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function ut({width:r,height:e},t,n){let o=n*2.6,i=Math.min(o,Math.sqrt(r*e/Math.max(1,t)));for(;i>.5&&Math.max(1,Math.floor(r/i))*Math.max(1,Math.floor(e/i))<t;)i*=.97;return i}function ht(r,e,t,n){let o=ut(r,e,t),{x:i,y:s,width:d,height:a}=r;if(n){let c=Math.max(1,Math.floor(d/o));return u=>({x:i+o*(u%c+.5),y:s+a-o*(Math.floor(u/c)+.5)})}let l=Math.max(1,Math.floor(a/o));return c=>({x:i+d-o*(Math.floor(c/l)+.5),y:s+o*(c%l+.5)})}function q(r,e,t){let n=ut(r,e,t),o=Math.max(1,Math.floor(r.width/n));return i=>({x:r.x+n*(i%o+.5),y:r.y+n*(Math.floor(i/o)+.5)})}function Ce({x:r,y:e,width:t,height:n},o){let i=Math.max(4,Math.min(t,n)/2-o-3);return{x:r+t/2,y:e+n/2,radius:i}}function ft(r,e,t,n){let o=Math.floor(2*Math.PI*e.radius/(n*2.6)),i=2**Math.floor(Math.log2(Math.max(1,o))),s=t<=i,d=2**Math.ceil(Math.log2(Math.max(1,t)));r.set(\`\${e.x} \${e.y} \${e.radius} \${s?0:d}\`,a=>{if(s)return lt(e,e.radius,2*Math.PI*an(a)-Math.PI/2);let l=Math.sqrt(.06+.94*(a+.5)/d);return lt(e,e.radius*l,a*sn)})}function lt({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function an(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var ae=class{#t="";#e=()=>({x:0,y:0});#i=[];set(e,t){e!==this.#t&&(this.#t=e,this.#e=t,this.#i.length=0)}at(e){return this.#i[e]??=this.#e(e)}},I=class{#t=new Map;#e=[];#i=0;#n=0;get size(){return this.#i}keep(e){let t=++this.#n,n;for(let i of e){let s=this.#t.get(i);s===void 0?(n??=[]).push(i):s.round=t}let o=e.length-(n?.length??0);this.#t.size>o&&this.#o(t);for(let i of n??[])this.#t.set(i,{number:this.#e.pop()??this.#i++,round:t})}#o(e){for(let[t,n]of this.#t)n.round!==e&&(this.#t.delete(t),this.#e.push(n.number));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((t,n)=>n-t)}of(e){return this.#t.get(e)?.number??0}};var $e={closing:["Closing","not over yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]};function B(r,e,t){let n=f("p",{class:"count"}),o=f("p",{class:"who whom"}),i=f("div",{class:"well"});return{root:f("section",{class:\`box \${r}\`,children:[...e===""?[]:[f("h3",{text:e})],...t===""?[]:[f("p",{class:"who",text:t})],n,o,i]}),count:n,whom:o,well:i}}function mt({number:r,name:e,isLoop:t,kind:n,turns:o}){let i=f("p",{class:"what"}),s=f("div",{class:"well"});return{root:f("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[f("h4",{text:e}),i,s]}),what:i,well:s,turns:o,slots:new I,places:new ae,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function pt({activity:r,dots:e,isLoop:t}){return r?.what==="computing"?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function de(r,e){return\`\${k(r)} \${e}\${r===1?"":"s"}\`}function gt({activity:r,dots:e,isLoop:t,turns:n,kind:o},i,s){let d=r?.connection===void 0?"":\` for \${s(r.connection)}\`,a=r===void 0?"":x(Math.max(0,i-r.sinceUs));if(r?.what==="computing"){let u=r.task===void 0?"":\` \${r.task}\`;return t?\`stands still: computes\${u}\${d} · \${a}\`:\`computes\${u}\${d} · \${a}\`}if(t&&r!==void 0&&i-r.sinceUs>=Ue)return\`stands still: a turn\${d} · \${a}\`;if(t)return\`\${de(e.length,"connection")} · \${k(n)} \${n===1?"turn":"turns"}\`;if(o==="computes")return"free";let[l]=e;if(l===void 0)return"free";let c=l.connection===void 0?l.peer:s(l.connection);return l.doing==="writing"?\`waits until \${c} takes what was sent\`:\`waits for \${c} to send\`}var yt=90,dn=2e3,ln=4,cn=9,le=class{#t=new Map;#e=new Map(M.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,o]=[!1,!1];for(let i of e){let s=this.#t.get(i);if(s===void 0){n=!0,this.#t.set(i,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:i,look:R(i),place:i.place,thread:i.thread});continue}s.round=t;let d=R(i);o||=d!==s.look||i.place==="ended",s.look=d,!(s.place===i.place&&s.thread===i.thread)&&(n=!0,s.place=i.place,s.thread=i.thread)}if(this.#t.size>e.length){for(let[i,s]of this.#t)s.round!==t&&this.#t.delete(i);n=!0}return{hasMoved:n,hasChanged:o||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},o){let i=this.#t.get(e);i!==void 0&&(i.toX=t,i.toY=n,Number.isNaN(i.x)&&(i.x=t+o.x,i.y=n+o.y))}move(e,t){let n=t?1:1-Math.exp(-e/yt),o=!1;for(let i of this.#t.values()){let[s,d]=[i.toX-i.x,i.toY-i.y];n===1||Math.abs(s)+Math.abs(d)<.4?(i.x=i.toX,i.y=i.toY):(i.x+=s*n,i.y+=d*n,o=!0),!(i.alpha>=1)&&(i.alpha=Math.min(1,t?1:i.alpha+e/(2*yt)),o=!0)}return o}get isLarge(){return this.#t.size>dn}nearest({x:e,y:t},n){let[o,i]=[void 0,n*n];for(let s of this.#t.values()){let d=(s.x-e)**2+(s.y-t)**2;d>i||([o,i]=[s,d])}return o?.dot}draw(e,t){let{radius:n,colours:o}=t;for(let s of this.#e.values())s.length=0;for(let s of this.#t.values())Number.isNaN(s.x)||this.#e.get(s.look)?.push(s);for(let[s,d]of this.#e){if(d.length===0)continue;let a=o.get(s);n<ln?un(e,d,a,n):hn(e,d,s,a,t)}e.globalAlpha=1;let{isFollowed:i}=t;if(i!==void 0)for(let s of this.#t.values())i(s.dot)&&(e.strokeStyle=o.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(s.x,s.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function un(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let o=2*n;for(let{x:i,y:s}of e)r.fillRect(i-n,s-n,o,o);return}r.beginPath();for(let{x:o,y:i}of e)r.moveTo(o+n,i),r.arc(o,i,n,0,2*Math.PI);r.fill()}function hn(r,e,t,n,{radius:o,colours:i,letterOf:s,shareOf:d,font:a}){let l=We.get(t),c=i.get("well"),u=Math.max(1.5,o*.26);r.lineWidth=u,r.strokeStyle=n,r.font=a,r.textAlign="center",r.textBaseline="middle";for(let h of e){let{x:m,y:p,dot:b}=h;if(r.globalAlpha=h.alpha*d(b),r.beginPath(),l==="cross"){let w=o*.7;r.moveTo(m-w,p-w),r.lineTo(m+w,p+w),r.moveTo(m+w,p-w),r.lineTo(m-w,p+w),r.stroke();continue}r.arc(m,p,l==="ring"?o-u/2:o,0,2*Math.PI),r.fillStyle=l==="ring"?c:n,r.fill(),l==="ring"&&r.stroke(),!(o<cn)&&(r.fillStyle=l==="ring"?n:c,r.fillText(s(b),m,p+.5))}r.globalAlpha=1}function Ie({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var fn=32,mn=720,pn=100,gn=64,yn=70,Re="in the kernel",ce=class{root;canvas;#t;#e;#i;#n;#o;#s;#r;#a;#d=new le;#h;#l=new Map;#c;#E="";#m=new Map;#g=!1;#w=1;#y=!1;#v=new Map;#L=-1/0;#u=10;#x="";#p=!0;lingerUs=7e5;constructor(e){this.#h=e;let t=f("div",{class:"fill"}),n=B("accept","Accept queue",Re);n.count.after(f("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t,where:n.root.querySelector(".who")},this.#i=B("handover","Hand-over queue","in the process"),this.#s=f("div",{class:"cards"}),this.#r=f("p",{class:"others"}),this.#o=f("p",{class:"who"});let o=f("h3",{text:"Threads"});this.#n={root:f("section",{class:"box threads",children:[o,this.#o,this.#s,this.#r]}),title:o},this.#a=new Map(Object.keys($e).map(s=>{let d=B(\`end \${s.toLowerCase()}\`,...$e[s]);return[s,{...d,slots:new I}]}));let i=f("div",{class:"ends",children:[...this.#a.values()].map(({root:s})=>s)});this.#t=f("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,i]}),this.canvas=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#g=!1,this.#p=!0,this.#L=-1/0}hit(e){return this.#d.nearest(e,Math.max(14,this.#u+4))}show(e,t,n){let o=performance.now();this.#$(e)&&this.refresh(),o-this.#L>=pn&&(this.#L=o,this.#D(e)),this.#g||this.#P();let{hasMoved:i,hasChanged:s}=this.#d.keep(e.dots);(i||this.#p)&&this.#O(e);let d=this.#d.move(t,n),a=this.#N(e,t,n),l=this.#U(e);return(s||d||a||this.#p||l!==this.#x)&&this.#A(e),this.#x=l,this.#p=!1,d||a}#U({threads:e}){return e.map(({activity:t,isLoop:n,kind:o})=>t!==void 0&&(n||o==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#d.isLarge}#$({threads:e,hasHandOver:t,totals:n}){let o=e.filter(({kind:y})=>y==="serves"||y==="computes"),i=o.filter(({isLoop:y})=>y),s=o.filter(({isLoop:y})=>!y),d=s.length>fn,a=d?i:[...i,...s],l=e.filter(({kind:y})=>y!=="serves"&&y!=="computes"),{unknown:c}=n.endings,u=JSON.stringify([t,d,c>0,a.map(({number:y,name:E})=>[y,E]),l.map(({name:y})=>y)]);if(u===this.#E)return!1;this.#E=u,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);let h=new Map(this.#l);this.#l.clear();for(let y of a)this.#l.set(y.number,h.get(y.number)??mt(y));let m=[...this.#l.values()].map(({root:y})=>y);d?(this.#c??={...B("dense","",""),slots:new I},m.push(this.#c.root)):this.#c=void 0,this.#s.replaceChildren(...m),this.#s.classList.toggle("one",a.length===1&&!d);let p=i.length===0,b=a.some(({name:y})=>y.startsWith("process"));g(this.#n.title,p?b?"Processes":"Threads":i.length===1?"Event loop":"Event loops");let w=l.map(({name:y})=>y).join(", ");return g(this.#r,w===""?"":\`also there: \${w}\`),this.#r.hidden=w==="",!0}#D(e){let{listeners:t,dots:n,queued:o,totals:i,threads:s,us:d}=e,a=v=>n.reduce((T,ge)=>T+(ge.place===v?1:0),0),l=t.filter(({waiting:v})=>v!==void 0),c=l.reduce((v,{waiting:T=0})=>v+T,0),u=l.reduce((v,{limit:T=0})=>v+T,0);g(this.#e.count,l.length===0?"not known":\`\${c} of \${u}\`),this.#e.where!==null&&g(this.#e.where,e.isClosing?\`\${Re}; newcomers are kept out\`:Re),this.#e.gauge.style.width=\`\${u===0?0:Math.min(100,c/u*100)}%\`,this.#M(this.#e,"accept queue",n),this.#M(this.#i,"hand-over queue",n);let h=a("hand-over queue");g(this.#i.count,String(Math.max(h,o??0)));for(let v of s){let T=this.#l.get(v.number);if(T===void 0)continue;let{root:ge,what:De}=T,Pe=gt(v,d,this.#h.nameOf);g(De,Pe),De.title=Pe,ge.dataset.state=pt(v)}let m=s.filter(({kind:v})=>v==="serves"),p=m.reduce((v,{dots:T})=>v+T.length,0),b=m.filter(({dots:v})=>v.length>0).length;this.root.classList.toggle("partial",e.isPartial);let w=e.counters?.live,y=(e.leftOut.get("connections")??0)===0||w===void 0||w<=p;if(g(this.#o,e.isPartial&&w!==void 0?\`the server counts \${de(w,"connection")}, too many come and go to draw each\`:m.some(({isLoop:v})=>v)?\`\${y?"":\`\${k(p)} of \`}\${de(y?p:w,"connection")} in turns\`:\`\${k(b)} of \${k(m.length)} \${b===1?"serves":"serve"}\`),this.#c!==void 0){let v=m.filter(({activity:T})=>T?.what==="computing").length;g(this.#c.count,\`\${k(m.length)} threads: \${k(v)} compute, \${k(b-v)} wait for peers, \${k(m.length-b)} are free\`)}let{endings:E,outcomes:me}=i,vt=Object.values(me).reduce((v,T)=>v+T,0),Ne=E.FIN+E.RST+E.unknown;g(this.#b("closing").count,String(a("closing"))),g(this.#b("FIN").count,k(E.FIN)),g(this.#b("RST").count,k(E.RST));let pe=E.unknown+(Ne===0?vt:0);g(this.#b("unknown").count,k(pe));let xt=Ne>0||pe===0;for(let v of["closing","FIN","RST"])this.#b(v).root.hidden=!xt;this.#b("unknown").root.hidden=pe===0}#M({whom:e},t,n){let o=n.find(i=>i.place===t)?.waitsFor;g(e,o===void 0?"":\`for \${this.#h.nameOf(o)}\`)}#b(e){return this.#a.get(e)}#P(){this.#g=!0;let e=this.root.getBoundingClientRect(),t=c=>{let{x:u,y:h,width:m,height:p}=c.getBoundingClientRect();return{x:u-e.x,y:h-e.y,width:m,height:p}};this.#y=e.width<mn,this.#m=new Map;let n=[this.#e,this.#i,...this.#a.values()].map(({well:c})=>c);this.#c!==void 0&&n.push(this.#c.well);for(let c of n)this.#m.set(c,t(c));for(let c of this.#l.values())c.rectangle=t(c.well);let o=this.#w=Math.min(2,devicePixelRatio),[i,s]=[Math.round(e.width*o),Math.round(e.height*o)];(this.canvas.width!==i||this.canvas.height!==s)&&(this.canvas.width=i,this.canvas.height=s);let d=getComputedStyle(this.root),a=f("i",{class:"probe"});this.root.append(a);let l=[...M.map(({look:c})=>c),"well","accent","line","faint"];this.#v=new Map(l.map(c=>(a.style.color=\`var(--figure-\${c})\`,[c,getComputedStyle(a).color]))),a.remove(),this.#I=\`600 10px \${d.fontFamily}\`}#I="600 10px sans-serif";#O(e){let{dots:t,threads:n}=e;this.#u=ct(t.length);let o=this.#u,i=new Map;for(let c of t){let u=c.place==="ended"?c.ending:c.place,h=i.get(u);h===void 0?i.set(u,[c]):h.push(c)}let s=this.#y?{x:0,y:-18}:{x:-18,y:0},d=(c,u)=>c.sinceUs-u.sinceUs||c.id-u.id,a=(c,{well:u})=>{let h=ht(this.#S(u),c.length,o,this.#y);c.sort(d).forEach((m,p)=>this.#d.send(m,h(p),s))};a(i.get("accept queue")??[],this.#e);let l=!this.#i.root.hidden;l&&a([...i.get("hand-over queue")??[],...i.get("taken")??[]],this.#i);for(let c of n)this.#H(c,s);if(this.#c!==void 0&&this.#R(n,s),!l){let{x:c,y:u,height:h}=this.#C();for(let m of[...i.get("hand-over queue")??[],...i.get("taken")??[]])this.#d.send(m,{x:c-o,y:u+h/2},s)}for(let[c,{well:u,slots:h}]of this.#a){let m=i.get(c)??[];h.keep(m);let p=q(this.#S(u),Math.max(1,h.size),o);for(let b of m)this.#d.send(b,p(h.of(b)),s)}}#C(){return[...this.#l.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#H({number:e,dots:t,isLoop:n},o){let i=this.#l.get(e);if(i===void 0)return;let{rectangle:s,slots:d,places:a}=i;d.keep(t);let l=this.#u;if(n){ft(a,Ce(s,l),d.size,l);for(let u of t)this.#d.send(u,a.at(d.of(u)),o);return}let c=q(s,Math.max(1,d.size),l);for(let u of t)this.#d.send(u,c(d.of(u)),o)}#R(e,t){if(this.#c===void 0)return;let{well:n,slots:o}=this.#c,i=e.filter(({number:d,kind:a})=>a==="serves"&&!this.#l.has(d));o.keep(i.map(({number:d})=>d));let s=q(this.#S(n),Math.max(1,o.size),this.#u);for(let{number:d,dots:a}of i)for(let l of a)this.#d.send(l,s(o.of(d)),t)}#S(e){return this.#m.get(e)??{x:0,y:0,width:1,height:1}}#N({threads:e,dots:t},n,o){let i=!1;for(let{number:s,isLoop:d,activity:a,turns:l,lastTurn:c,dots:u}of e){let h=d?this.#l.get(s):void 0;if(h===void 0)continue;let m=a?.connection??c,p=m===void 0?void 0:u.find(({connection:y})=>y===m),b=p&&this.#d.find(p);if(b!==void 0){let y=Ie(h.rectangle);h.toAngle=Math.atan2(b.toY-y.y,b.toX-y.x)}else l!==h.turns&&(h.toAngle+=(l-h.turns)*2*Math.PI/Math.max(8,u.length));h.turns=l;let w=bn(h.toAngle-h.angle);o||Math.abs(w)<.01?h.angle=h.toAngle:(h.angle+=w*(1-Math.exp(-n/yn)),i=!0)}return i&&t.length>0}#A(e){let t=this.canvas.getContext("2d");if(t===null)return;let n=this.#w;t.setTransform(n,0,0,n,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let i of e.threads)i.isLoop&&this.#T(t,i);this.#f(t,e.threads),this.#F(t,e);let{lingerUs:o}=this;this.#d.draw(t,{radius:this.#u,colours:this.#v,font:this.#I,letterOf:this.#h.letterOf,isFollowed:this.#h.followed(),shareOf:({place:i,sinceUs:s})=>i==="ended"?Math.max(0,1-(e.us-s)/o):1})}#k(e){return this.#v.get(e)??"gray"}#T(e,{number:t,activity:n}){let o=this.#l.get(t);if(o===void 0)return;let{x:i,y:s,radius:d}=Ce(o.rectangle,this.#u),a=n?.what==="computing";e.lineWidth=a?2.5:1.5,e.strokeStyle=this.#k(a?"computing":"line"),e.beginPath(),e.arc(i,s,d,0,2*Math.PI),e.stroke();let l=Math.max(4,d-this.#u-6);e.strokeStyle=this.#k(a?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=a?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(i,s),e.lineTo(i+l*Math.cos(o.angle),s+l*Math.sin(o.angle)),e.stroke(),e.beginPath(),e.arc(i,s,a?6:4,0,2*Math.PI),e.fill()}#f(e,t){if(this.#c===void 0)return;let{well:n,slots:o}=this.#c,i=q(this.#S(n),Math.max(1,o.size),this.#u),s=Math.max(2,this.#u*2.2);e.strokeStyle=this.#k("line"),e.lineWidth=1;for(let{number:d,kind:a}of t){if(a!=="serves"||this.#l.has(d))continue;let{x:l,y:c}=i(o.of(d));e.strokeRect(l-s/2,c-s/2,s,s)}}#F(e,{threads:t,dots:n}){let o=t.filter(({kind:s,activity:d})=>s==="computes"&&d?.what==="computing").slice(0,gn);if(o.length===0)return;let i=20;e.font=this.#I,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:d}of o){let a=this.#l.get(s);if(a===void 0||d===void 0)continue;let{x:l,y:c}=Ie(a.rectangle),u=n.find(({connection:m})=>m===d.connection),h=u&&this.#d.find(u);h!==void 0&&(e.strokeStyle=this.#k("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(h.x,h.y),e.lineTo(l,c),e.stroke(),e.setLineDash([])),e.fillStyle=this.#k("computing"),e.beginPath(),e.roundRect(l-i/2,c-i/2,i,i,4),e.fill(),u!==void 0&&(e.fillStyle=this.#k("well"),e.fillText(this.#h.letterOf(u),l,c+.5))}}};function bn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var wn=6e7,vn=700,xn=12,kn=.04,Tn=150,En=5e3,Mn=3e3,Sn=250,ue=class extends K{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new ie;#i=new F;#n=new $;#o=[];#s=new Map;#r=!1;#a=!1;#d;#h;#l=new ne({nameOf:e=>this.#N(e),named:e=>this.#q(e)});#c;#E;#m;#g;#w;#y=[];#v;#L=!0;#u=0;#x;#p=-1/0;#U=-1/0;#$="";#D=new D;get lines(){return this.#t}set lines(e){this.#t=e,this.#r=!1,this.#a=!1,this.#n=new $,this.#n.add(Q(e)),this.#C()}get names(){return this.#o}set names(e){this.#o=e,this.#S(),this.#f()}get view(){return this.#n.at(this.#e.us,this.#k)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#l.connection}startLive(e=!1){this.#r=!0,this.#a=!0,this.#n=new $({keepUs:wn}),this.#i=new F,this.#e.goLive(),this.#C(e)}appendLines(e){this.#r||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#f()}stopLive(){this.#a&&(this.#a=!1,this.#e.isLive=!1,this.#f())}play(){this.#e.play(),this.#f()}pause(){this.#e.pause(),this.#f()}seek(e){this.#R(),this.#e.seek(e),this.#f()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),o=e>0?n.find(i=>i.us>t+.5):n.findLast(i=>i.us<t-.5);o!==void 0&&this.seek(o.us)}follow(e){this.#M({connection:e})}#M(e){this.#l.follow(e),this.#b(),this.#T()}#b(){let e=this.#h?.follow,{connection:t}=this.#l,n=t===void 0?"":String(t);e!==void 0&&e.value!==n&&(e.value=n)}#P(e){let{dots:t}=this.view;if(t.length===0)return;let n=t.findIndex(i=>this.#l.is(i)),o=n<0&&e<0?t.length-1:(n+e+t.length)%t.length;this.#M(t[o])}connectedCallback(){this.#d===void 0&&this.#B();let e=new IntersectionObserver(([i])=>{this.#L=i?.isIntersecting??!0,this.#f()});e.observe(this);let t=new ResizeObserver(()=>this.#T());t.observe(this.#d?.root);let n=new MutationObserver(()=>this.#T());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#y=[e,t,n],this.#v=new AbortController;let{signal:o}=this.#v;for(let i of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(i).addEventListener("change",()=>this.#T(),{signal:o});this.#f()}disconnectedCallback(){for(let e of this.#y)e.disconnect();this.#y=[],this.#v?.abort(),this.#D.stop(),cancelAnimationFrame(this.#u),this.#u=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#I(n),e==="names"&&(this.names=G(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#V()}async#I(e){await this.#D.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!we()&&this.play()},t=>this.#O(t))}#O(e){this.#m!==void 0&&g(this.#m,e)}#C(e=!1){if(this.#S(),this.#V(),this.#R(),!this.#a){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let t=Number(this.getAttribute("speed"));this.#e.setSpeed(t>0?t:this.#H())}e?this.#l.renew():this.follow(void 0),this.#T()}#H(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/xn;return P.find(o=>o>=n)??10}#R(){let e=this.#n;if(this.#r){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,o]=[t[0],t.at(-1)];if(n===void 0||o===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let i=Math.max(1e3,(o.us-n.us)*kn);this.#e.range={fromUs:Math.max(0,n.us-i),toUs:o.us+i}}#S(){if(this.#s=new Map,this.#o.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#o.length).entries())this.#s.set(n,this.#o[t])}#N(e){return this.#s.get(e)??\`#\${e}\`}#A({connection:e}){if(e===void 0)return"";let t=this.#s.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#k(){return vn*1e3*this.#e.speed}#T(){this.#d?.refresh(),this.#p=-1/0,this.#f()}#f(){this.#u!==0||this.#d===void 0||!this.isConnected||(this.#u=requestAnimationFrame(e=>this.#F(e)))}#F(e){this.#u=0;let t=this.#d;if(t===void 0)return;let n=we(),o=Math.min(100,e-(this.#x??e));if(n&&this.#e.isPlaying&&e-(this.#x??-1/0)<Sn){this.#f();return}this.#x=e,this.#R();let i=this.#e.us,s=this.#a?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:d}=this.#e,{view:a}=this;t.lingerUs=this.#k;let l=t.isLarge&&Math.abs(d-i)>1e6,c=t.show(a,o,n||l);(e-this.#p>=Tn||!this.#e.isPlaying)&&(this.#p=e,this.#z(a)),(this.#e.isPlaying&&this.#L||c)&&this.#f()}#B(){let e=this.attachShadow({mode:"open"});N(e,O,X,Ye,Qe,je);let t=new ce({nameOf:i=>this.#N(i),letterOf:i=>this.#A(i),followed:()=>this.#l.isSomebody?i=>this.#l.is(i):void 0});this.#d=t,t.canvas.addEventListener("click",i=>{let{x:s,y:d}=t.canvas.getBoundingClientRect(),a=t.hit({x:i.clientX-s,y:i.clientY-d});this.#M(a??{})}),this.#c=f("h2"),this.#E=f("p",{class:"sub"}),this.#m=f("p",{class:"now"}),this.#g=f("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=Ze();this.#h=n,this.#W(n);let o=new ee(i=>this.#N(i),{onOpen:()=>this.#T(),onFollow:i=>this.#M(i)});this.#w=o,e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[f("div",{class:"head",children:[this.#c,this.#E]}),t.root,n.root,this.#m,this.#l.root,et(),o.root,this.#g]})),this.#V()}#W(e){let{play:t,live:n,slower:o,faster:i,back:s,step:d,time:a,follow:l}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#f()}),o.addEventListener("click",()=>this.#_(-1)),i.addEventListener("click",()=>this.#_(1)),s.addEventListener("click",()=>this.step(-1)),d.addEventListener("click",()=>this.step(1)),a.addEventListener("input",()=>{let{fromUs:c,toUs:u}=this.#e.range;this.#e.pause(),this.seek(c+Number(a.value)/Number(a.max)*(u-c))}),l.addEventListener("input",()=>{let c=Number(l.value);this.follow(l.value!==""&&Number.isInteger(c)?c:void 0)}),this.shadowRoot?.addEventListener("keydown",c=>this.#K(c))}#K(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,o=t instanceof HTMLButtonElement,{key:i}=e;if(i==="Escape")this.follow(void 0);else{if(n)return;if(i==="+")this.#_(1);else if(i==="-")this.#_(-1);else if(i===".")this.step(1);else if(i===",")this.step(-1);else if(i==="n")this.#P(1);else if(i==="p")this.#P(-1);else if(i==="k"||i===" "&&!o&&t===this.#h?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#_(e){this.#e.changeSpeed(e),this.#T()}#V(){if(this.#c===void 0||this.#E===void 0)return;let{header:e}=this.#n;g(this.#c,this.getAttribute("data-title")??e?.by??""),g(this.#E,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#c.parentElement?.toggleAttribute("hidden",e===void 0&&this.#c.textContent==="")}#z(e){this.#G(e),this.#Y(e),this.#l.show(e,this.#n,this.#e.range.fromUs),this.#b(),this.#w?.show(e),this.#j(e)}#G({us:e}){let t=this.#h;if(t===void 0)return;let{isPlaying:n,isLive:o,speed:i,range:s}=this.#e;g(t.play,n?"Pause":this.#e.isAtEnd&&!this.#a?"Again":"Play"),t.live.hidden=!this.#a,g(t.live,o?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(o)),g(t.speed,i>=1?\`\${i}×\`:\`1/\${Math.round(1/i)}×\`),t.slower.disabled=i<=P[0],t.faster.disabled=i>=P.at(-1);let d=Math.max(1,s.toUs-s.fromUs),{max:a}=t.time,l=String(Math.round((e-s.fromUs)/d*Number(a)));t.time.value!==l&&(t.time.value=l);let c=this.#a?o?"now":\`\${x(Math.max(0,s.toUs-e))} ago\`:\`\${x(Math.max(0,e-s.fromUs))} of \${x(d)}\`;g(t.moment,c),t.time.setAttribute("aria-valuetext",c)}#Y({us:e,note:t,leftOut:n,isPartial:o}){if(this.#a&&this.#e.isPlaying){if(!o)return this.#O(t??"");let s=n.get("connections")??0;return this.#O(\`Too many connections to draw each of them: \${k(s)} were left out so far.\`)}let i=this.#n.dots.length>Mn?void 0:this.#Q(e);this.#O(i===void 0?t??"":this.#q(i))}#Q(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#q({text:e,connection:t}){let n=t===void 0?void 0:this.#s.get(t),o=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return o.slice(0,1).toUpperCase()+o.slice(1)}#j({dots:e,totals:t}){let n=performance.now();if(this.#g===void 0||n-this.#U<En)return;let o=l=>e.filter(c=>c.place===l).length,i=o("thread"),s=o("accept queue")+o("hand-over queue"),d=Object.values(t.outcomes).reduce((l,c)=>l+c,0),a=\`\${i} served, \${s} waiting, \${d} over\`;a!==this.#$&&(this.#U=n,this.#$=a,g(this.#g,a))}};z("model-figure",ue);var Ln={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},Un=250,fe=S("figure"),wt=[new C({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:Fe,least:10}),new C({title:"Life of a connection",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:x,least:1e3}),new C({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${qe(r)} of a core\`,least:1}),new C({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:Ve,least:2**20,unit:2**20})],bt,he=!1;N(document,O);S("charts").append(...wt.map(({root:r})=>r));setInterval(Pn,Un);new j({begins:$n,lines:In,state:Rn});function S(r){return document.getElementById(r)}async function On(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:o,version:i,details:s=[],actions:d=[]}=r;g(S("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let a=[t,n,...s,o,i&&\`version \${i}\`];g(S("about"),a.filter(l=>l!==void 0).map(String).join(" · ")),S("actions").hidden=d.length===0,S("buttons").replaceChildren(...d.map(l=>{let[c,u]=Ln[l]??[String(l),""],h=f("button",{text:c,attributes:{type:"button",title:u}});return h.addEventListener("click",()=>{Cn(String(l),h)}),h}))}async function Cn(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();g(S("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{g(S("answer"),"The server does not answer.")}finally{e.disabled=!he,e.focus()}}function $n(){On()}function In(r){for(let e of r)e.type==="recording"&&(fe.startLive(e.began_us===bt),bt=e.began_us);fe.appendLines(r)}function Rn({kind:r,text:e,page:t}){let n=S("state");n.dataset.state=r,g(n,e),he=r==="live"||r==="silent",he||fe.stopLive();for(let i of S("buttons").querySelectorAll("button"))i.disabled=!he;if(t===void 0||!Nn(t))return;let o=f("a",{text:"Its page",attributes:{href:t}});n.append(" ",o)}function Nn(r){return URL.canParse(r)&&new URL(r).protocol==="http:"}function Dn(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function Pn(){if(document.hidden)return;let{us:r,scene:e}=fe,{figures:t}=e;for(let s of wt)s.show(t,r);let n=e.countersAt(r)??{},o=S("counters"),i=Object.keys(n);o.dataset.names!==i.join()&&(o.dataset.names=i.join(),o.replaceChildren(...i.map(s=>f("div",{children:[f("dt",{text:Dn(s)}),f("dd")]}))));for(let[s,d]of[...o.querySelectorAll("dd")].entries())g(d,k(n[i[s]]??0))}})();
;
    </script>
  </body>
</html>
`;
