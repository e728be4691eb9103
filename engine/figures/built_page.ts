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
\`;var K=globalThis.HTMLElement??class{};function h(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,o]of Object.entries(e.attributes??{}))t.setAttribute(n,o);return t.append(...e.children??[]),t}function g(r,e){r.textContent!==e&&(r.textContent=e)}var Ke=new Map;function N(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ke.get(t);if(n!==void 0)return n;let o=new CSSStyleSheet;return o.replaceSync(t),Ke.set(t,o),o})}function z(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function G(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function we(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var ze=6e7,St=[[],[5,3]],ve=72,C=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=h("p",{class:"value",text:"–"}),this.#i=h("span",{class:"top"}),this.#n=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("figure",{class:"chart",children:[h("figcaption",{children:[h("h3",{text:e.title}),this.#e]}),h("div",{class:"plot",children:[this.#n,this.#i]})]})}show(e,t){let{series:n,format:o,least:i,unit:s=1}=this.#t,a=e.filter(({at:u})=>u>t-ze&&u<=t),d=a.at(-1),c=n.map(({name:u,of:m})=>{let p=d===void 0?void 0:m(d),b=p===void 0?"not known":o(p);return u===""?b:\`\${u} \${b}\`});g(this.#e,c.join(" · "));let l=a.flatMap(u=>n.map(({of:m})=>m(u)??0)),f=Lt(Math.max(i,...l)/s)*s;g(this.#i,o(f)),this.#o(a,t,f)}#o(e,t,n){let{width:o}=this.#n.getBoundingClientRect(),i=Math.min(2,devicePixelRatio),[s,a]=[Math.round(o*i),Math.round(ve*i)];(this.#n.width!==s||this.#n.height!==a)&&(this.#n.width=s,this.#n.height=a);let d=this.#n.getContext("2d");if(d===null)return;let c=getComputedStyle(this.#n);d.setTransform(i,0,0,i,0,0),d.clearRect(0,0,o,ve);let l=u=>(1-(t-u)/ze)*o,f=u=>1+(1-u/n)*(ve-2);d.strokeStyle=c.borderBottomColor,d.lineWidth=1;for(let u of[0,1])d.beginPath(),d.moveTo(0,f(u*n)),d.lineTo(o,f(u*n)),d.stroke();d.strokeStyle=c.color,d.lineWidth=1.75,d.lineJoin="round";for(let[u,{of:m}]of this.#t.series.entries()){d.setLineDash([...St[u]??[]]),d.beginPath();let p=!1;for(let b of e){let w=m(b);if(w===void 0){p=!1;continue}p?d.lineTo(l(b.at),f(w)):d.moveTo(l(b.at),f(w)),p=!0}d.stroke()}d.setLineDash([])}};function Lt(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var Ot={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function Y(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let o=Ct(n);o===void 0?t++:e.push(o)}return{lines:e,damaged:t}}function Ct(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(Ot[t.type]??["at"]).every(o=>Number.isFinite(t[o])))&&!(t.type==="recording"&&t.version!==1))return e}function Q(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var D=class{#t;async load(e,t,n){this.stop();let{signal:o}=this.#t=new AbortController;try{let i=await fetch(e,{signal:o});if(!i.ok)throw new Error(\`the answer is \${i.status}\`);let{lines:s}=Y(await i.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(i){if(o.aborted)return;n(\`Cannot show \${e}: \${i instanceof Error?i.message:String(i)}\`)}}stop(){this.#t?.abort()}};var $t=1e3,It=3e4,Rt=300,Nt=5e3,Dt=1e3,j=class{#t;#e;#i;#n;#o=0;#s=0;constructor(e){this.#t=e,this.#a(),setInterval(()=>this.#c(),Dt),document.addEventListener("visibilitychange",()=>{document.hidden||this.#i===void 0||(this.#o=0,this.#a())})}#r(e,t,n){this.#n=e,this.#t.state({kind:e,text:t,...n!==void 0&&{page:n}})}#a(){clearTimeout(this.#i),this.#i=void 0;let e=this.#e=new EventSource("events");e.addEventListener("message",({data:t})=>this.#d(String(t))),e.addEventListener("error",()=>{e.close(),e===this.#e&&this.#l()})}#d(e){let{lines:t}=Y(e);this.#s=performance.now(),this.#o=0,t.some(({type:o})=>o==="recording")&&this.#t.begins(),this.#n!=="live"&&this.#r("live","live"),this.#t.lines(t);let n=t.find(o=>o.type==="end");n!==void 0&&this.#h(n)}#h({successor:e,page:t}){if(this.#e?.close(),this.#e=void 0,e===void 0)return this.#r("ended","The server has ended. This is its last picture.");let n=\`Process \${e} serves now\`;if(t===void 0)return this.#r("ended",\`\${n}, and has no page. This is the last picture.\`);if(!(URL.canParse(t)&&new URL(t).pathname===location.pathname))return this.#r("ended",\`\${n}. This is the last picture.\`,t);this.#r("lost",\`\${n}: connecting to it …\`),this.#i=setTimeout(()=>this.#a(),Rt)}async#l(){this.#e=void 0,this.#n!=="lost"&&this.#r("lost","The server does not answer …");let e=0;try{({status:e}=await fetch("events",{method:"HEAD"}))}catch{}if(e===404||e===421)return this.#r("ended","Another server is here now. It has printed the address of its own page. This is the last picture of the one before.");let t=Math.min(It,$t*2**this.#o++),n=k(Math.round(t/1e3)),o=e===0?"The server does not answer. This is its last picture":e===503?"Too many read along, and the server tells nobody else":"The link to the server has broken. This is its last picture";this.#r("lost",\`\${o}; trying again in \${n} s.\`),this.#i=setTimeout(()=>this.#a(),t)}#c(){this.#e===void 0||this.#n!=="live"||performance.now()-this.#s<Nt||this.#r("silent","The server says nothing. Perhaps its process is stopped.")}};var xe={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function ke(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let o of r)if(o.type==="socket"&&o.waiting===!0)e.has(o.remote)||e.set(o.remote,o.at);else if(o.type==="begun"){let{connection:i,peer:s,at:a}=o;t.set(i,{peer:s,fromUs:e.get(s)??a,toUs:n}),e.delete(s)}else if(o.type==="over"){let i=t.get(o.connection);i!==void 0&&(i.toUs=o.at)}return[...t.values()].sort((o,i)=>o.fromUs-i.fromUs)}var Pt=["computing","queue","accept","thread"],At=["queue","accept","thread"],Ht=1e3;function Te(r,e){let t=e.map(n=>_t(r,n));return e.map((n,o)=>{let i=t[o],a=t.filter(p=>p!==i).filter(({thread:p})=>p===i.thread),d={accept:[[n.fromUs,i.begunUs]],queue:[[i.begunUs,i.servedUs]],thread:[...a.flatMap(({busy:p})=>p),...i.awaiting],computing:i.computing,talk:[]},c=Ft(n,d),l=c.filter(({doing:p})=>At.includes(p)),f=t.map(p=>{if(p===i)return 0;let b=a.includes(p)?p.holds:[],w=i.awaiting.flatMap(E=>Ge(E,p.computing)),y=[...b,...w];return Vt(l.flatMap(({fromUs:E,toUs:me})=>Ge([E,me],y)))}),u=Math.max(...f),m=u>=Ht;return{stretches:c,waitedUs:m?u:0,waitedFor:m?f.indexOf(u):void 0}})}function _t(r,e){let t=r.find(p=>p.type==="begun"&&p.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,o=r.filter(p=>"connection"in p&&p.connection===n),i=o.find(p=>p.type==="served"),s=o.find(p=>p.type==="over"),a=i?.type==="served"?i.thread:void 0,d=o.filter(p=>p.type==="span"),c=p=>d.filter(b=>b.name===p).map(({at:b,to:w})=>[b,w]),l=r.some(p=>p.type==="thread"&&p.thread===a&&p.loop===!0),f=t?.at??e.toUs,u=i?.at??f,m=l?c("turn"):[];return{begunUs:f,servedUs:u,thread:a,computing:c("computing"),awaiting:c("waiting for computing"),busy:m,holds:l?m:[[u,s?.at??e.toUs]]}}function Ft({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),o=[...new Set([r,...n,e])].sort((s,a)=>s-a),i=[];for(let s=1;s<o.length;s++){let[a,d]=[o[s-1],o[s]],c=(a+d)/2,l=Pt.find(u=>t[u].some(([m,p])=>m<=c&&c<p))??"talk",f=i.at(-1);f?.doing===l?i[i.length-1]={...f,toUs:d}:i.push({doing:l,fromUs:a,toUs:d})}return i}function Ge([r,e],t){return t.map(([n,o])=>[Math.max(n,r),Math.min(o,e)]).filter(([n,o])=>n<o)}function Vt(r){let[e,t]=[0,-1/0];for(let[n,o]of r.toSorted(([i],[s])=>i-s))e+=Math.max(0,o-Math.max(n,t)),t=Math.max(t,o);return e}var X=\`
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
\`;var J=class extends K{static observedAttributes=["src","data-title","names"];#t=[];#e=[];#i;#n;#o=new D;get lines(){return this.#t}set lines(e){this.#t=e,this.draw()}get names(){return this.#e}set names(e){this.#e=e,this.draw()}connectedCallback(){this.#n===void 0&&this.#s(),this.draw()}disconnectedCallback(){this.#o.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#o.load(n,o=>this.lines=o,o=>this.#n?.replaceChildren(h("p",{class:"note",text:o}))),e==="names"&&(this.names=G(n)),e==="data-title"&&this.draw()}draw(){if(this.#n===void 0||this.#i===void 0)return;let e=this.getAttribute("data-title")??"";g(this.#i,e),this.#i.parentElement.hidden=e==="",this.drawIn(this.#n)}#s(){let{style:e,label:t,bodyClass:n,legend:o}=this.frame,i=this.attachShadow({mode:"open"});N(i,O,X,e),this.#i=h("h2"),this.#n=h("div",n===void 0?{}:{class:n});let s=h("div",{class:"head",children:[this.#i]});i.append(h("div",{class:"frame",attributes:{role:"group","aria-label":t},children:[s,this.#n,...o===void 0?[]:[o()]]}))}};var qt=24,Bt=5,Xe={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},Wt=\`
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
\`,Z=class extends J{frame={style:Wt,label:"Who waited for whom",bodyClass:"rows-and-scale",legend:Qt};#t;get visits(){return this.#t}set visits(e){this.#t=e,this.draw()}drawIn(e){let t=Q(this.lines).filter(m=>m.type!=="recording"),n=this.#t??ke(t);if(n.length===0){this.lines.length>0&&e.replaceChildren(h("p",{class:"note",text:"No client has come."}));return}let o=n.slice(0,qt),i=Te(t,o),s=Math.min(...o.map(({fromUs:m})=>m)),a=Math.max(s+1,...o.map(({toUs:m})=>m)),d=m=>this.names[m]??\`client \${m+1}\`,c=t.find(({type:m})=>m==="closing")?.at??1/0,l=c<a?c:void 0,f=o.map((m,p)=>Kt(m,i[p],{name:d,index:p,fromUs:s,lengthUs:a-s,toldUs:l})),u=[h("ul",{class:"rows",children:f}),Gt(a-s)];if(l!==void 0){let m=\`The upright line is when the server was told to close, after \${x(l-s)}.\`;u.push(h("p",{class:"note",text:m}))}if(n.length>o.length){let m=\`\${n.length-o.length} more clients are not drawn.\`;u.push(h("p",{class:"note",text:m}))}e.replaceChildren(...u)}};function Kt({fromUs:r,toUs:e},t,n){let o=h("span",{class:"told"});o.hidden=n.toldUs===void 0,o.style.left=\`\${((n.toldUs??0)-n.fromUs)/n.lengthUs*100}%\`;let i=h("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...t.stretches.map(s=>{let a=h("span",{class:Je(s.doing)});return a.style.left=\`\${(s.fromUs-n.fromUs)/n.lengthUs*100}%\`,a.style.width=\`\${(s.toUs-s.fromUs)/n.lengthUs*100}%\`,a.title=\`\${xe[s.doing]}: \${x(s.toUs-s.fromUs)}\`,a}),o]});return h("li",{class:"client",children:[h("span",{class:"name",text:n.name(n.index)}),i,h("span",{class:"length",text:x(e-r)}),h("span",{class:"waited",text:zt(t,n.name)})]})}function zt({stretches:r,waitedFor:e,waitedUs:t},n){let o=r.reduce((a,{doing:d,fromUs:c,toUs:l})=>a+(d==="computing"?l-c:0),0),i=o>=1?\`the server computed \${x(o)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${x(t)} for \${n(e)}\`,i].filter(a=>a!=="").join("; ")}function Je(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${Xe[r]}\`}function Gt(r){let e=r/Bt,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(i=>i*t).find(i=>i>=e)??e,o=[];for(let i=0;i<=r;i+=n){let s=h("span",{text:i===0?"0":Yt(i)});s.style.left=\`\${i/r*100}%\`,o.push(s)}return h("div",{class:"scale",attributes:{"aria-hidden":"true"},children:o})}function Yt(r){return x(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function Qt(){return h("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(Xe).map(r=>h("li",{children:[h("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[jt(r)]}),h("span",{class:"words",text:xe[r]})]}))})}function jt(r){let e=h("span",{class:Je(r)});return e.style.left="0",e.style.width="100%",e}z("client-timeline",Z);function Ze(){let r=(u,m,p="")=>h("button",{class:p,text:u,attributes:{type:"button",...m!==void 0&&{"aria-label":m,title:m}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),o=r("+","Faster (+)","small"),i=h("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),a=r("Step ▸","Step on to what happens next (.)"),d=h("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),c=h("output"),l=h("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:h("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,a,h("span",{class:"speed",children:[n,i,o]}),h("span",{class:"time",children:[d,c]}),h("label",{children:[h("span",{text:"Follow #"}),l]})]}),play:e,live:t,slower:n,faster:o,speed:i,back:s,step:a,time:d,moment:c,follow:l}}function et(){return h("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:M.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>h("li",{children:[h("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),h("span",{class:"words",text:t})]}))})}var tt=100;function Ee({place:r,thread:e},{threads:t}){return r!=="thread"?r:t.find(({number:n})=>n===e)?.name??"a thread"}function Me(r,e){let t=M.find(({look:s})=>s===R(r))?.words??r.doing,{task:n,waitsFor:o}=r,i=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${i}\${o===void 0?"":\`, for \${e(o)}\`}\`}var ee=class{root;#t;#e=new te;#i;#n=h("p");constructor(e,{onOpen:t,onFollow:n}){this.#t=e,this.#i=new te(s=>{let a=this.#o.find(d=>d.id===s);a!==void 0&&n(a)});let o=["Where","Connections","What happens there"],i=["Connection","From","Where","What it does","Since"];this.root=h("details",{children:[h("summary",{text:"The same as a table"}),h("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[nt("Where connections are",o,this.#e.body),nt("Connections",i,this.#i.body),this.#n]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;let t=this.#s(e).slice(0,tt);this.#e.fill(new Map(t.map(s=>[s[0],s])));let{dots:n,us:o}=e;this.#o=n.slice(0,tt),this.#i.fill(new Map(this.#o.map(s=>[s.id,[s.connection===void 0?"not accepted yet":this.#t(s.connection),s.peer,Ee(s,e),Me(s,this.#t),x(Math.max(0,o-s.sinceUs))]])));let i=n.length-this.#o.length;g(this.#n,i>0?\`and \${i} more\`:"")}#o=[];#s(e){let{dots:t,threads:n,listeners:o,hasHandOver:i,queued:s,totals:a}=e,d=f=>t.filter(u=>u.place===f).length,c=o.map(({waiting:f,limit:u})=>\`\${f??"?"} of \${u??"?"}\`),l=["Hand-over queue",String(d("hand-over queue")),\`counted: \${s??"?"}\`];return[["Accept queue",c.join(", ")||"not known",\`\${d("accept queue")} seen there\`],...i?[l]:[],...n.filter(({kind:f})=>f!=="other").map(f=>[f.name,String(f.dots.length),this.#r(f,e)]),...Object.entries(a.endings).map(([f,u])=>[\`Ended: \${f}\`,String(u),"since the picture began"])]}#r({activity:e,isLoop:t,turns:n},{us:o}){if(e===void 0)return t?\`waits, after \${n} turns\`:"waits";let{what:i,task:s,connection:a,sinceUs:d}=e,c=a===void 0?"":\` for \${this.#t(a)}\`,l=x(Math.max(0,o-d));return\`\${i}\${s===void 0?"":\` \${s}\`}\${c}, \${l}\`}};function nt(r,e,t){let n=e.map(o=>h("th",{text:o,attributes:{scope:"col"}}));return h("table",{children:[h("caption",{text:r}),h("thead",{children:[h("tr",{children:n})]}),t]})}var te=class{body=h("tbody");#t=new Map;#e;constructor(e){this.#e=e}fill(e){for(let[n,o]of this.#t)e.has(n)||(o.remove(),this.#t.delete(n));let t=this.body.firstElementChild;for(let[n,o]of e){let i=this.#t.get(n)??this.#i(n,o.length);i===t?t=t.nextElementSibling:this.body.insertBefore(i,t),o.forEach((s,a)=>{let d=i.cells[a];g(d.querySelector("button")??d,s)})}}#i(e,t){let n=h("tr",{children:Array.from({length:t},()=>h("td"))}),o=this.#e;if(o!==void 0){let s=h("button",{class:"small",attributes:{type:"button",title:"Follow it"}});s.addEventListener("click",()=>o(e)),n.cells[0]?.append(s)}return this.#t.set(e,n),n}};var Xt=200,ne=class{root;#t;#e=h("p");#i=h("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});#n;#o;#s="";#r="";constructor(e){this.#t=e,this.root=h("div",{class:"followed",children:[this.#e,this.#i]}),this.root.hidden=!0}get connection(){return this.#n}get isSomebody(){return this.#n!==void 0||this.#o!==void 0}follow({connection:e,id:t}={}){this.#n=e,this.#o=t,this.#s="",this.#r="",this.#i.replaceChildren()}is({connection:e,id:t}){return this.#n===void 0?t===this.#o:e===this.#n}renew(){this.#o=void 0,this.#s=""}show(e,t,n){if(this.root.hidden=!this.isSomebody,!this.isSomebody)return;let o=t.find(this.#n,this.#o);if(o===void 0){let d=this.#n===void 0?"It":this.#t.nameOf(this.#n),c=this.#s===""?"is not known: it has not come yet, or is no longer remembered":"is no longer remembered: it was over long ago";return g(this.#e,\`\${d}\${this.#r} \${c}\`)}this.#n=o.connection,this.#o=o.id;let i=t.lifeOf(o).slice(-Xt);this.#r=\`, from \${o.peer},\`;let s=o.connection===void 0?"A connection that is not accepted yet":this.#t.nameOf(o.connection),a=e.dots.find(({id:d})=>d===o.id);g(this.#e,\`\${s}\${this.#r} \${this.#a(a,e,i)}\`),this.#d(o,e,n,i)}#a(e,t,n){return e!==void 0?\`\${\`\${e.place==="thread"?"is served by":"is here:"} \${Ee(e,t)}\`}: \${Me(e,this.#t.nameOf)}\`:n.some(({us:i})=>i<=t.us)?"is in the picture no more":"is not there yet"}#d({id:e},t,n,o){let i=o.filter(({us:a})=>a<=t.us+.5).length,s=\`\${e} \${o.length} \${i} \${o.at(-1)?.us}\`;s!==this.#s&&(this.#s=s,this.#i.replaceChildren(...o.map((a,d)=>h("li",{class:d<i?"past":"",children:[h("time",{text:x(Math.max(0,a.us-n))}),h("span",{text:this.#t.named(a)})]}))))}};var P=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],ie=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?P.find(n=>n>this.speed):P.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},Jt=3e5,Zt=1e-4,F=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*Zt;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-Jt}};function Se(r,e){let t=[],{connection:n,peer:o,queued:i,accepting:s}=r,a=n===void 0?o:\`#\${n}\`,d=(l,f)=>t.push({us:l,text:f,connection:n});s!==void 0&&d(s.at,\`\${a} is in the accept queue\`),r.begunUs<1/0&&d(r.begunUs,\`\${a} is accepted\`),i!==void 0&&d(i.at,\`\${a} waits in the hand-over queue\`),r.servedUs<1/0&&d(r.servedUs,\`\${e(r.server)} begins to serve \${a}\`);for(let{at:l,to:f,task:u,thread:m}of r.computing?.all??[]){let p=u===void 0?"":\` \${u}\`;d(l,\`\${e(m)} begins to compute\${p} for \${a}\`),d(f,\`\${e(m)} has computed\${p} for \${a}\`)}for(let{at:l,to:f}of r.awaiting?.all??[])d(l,\`\${a} waits while another thread computes\`),d(f,\`\${a} has the result\`);for(let{at:l,to:f}of r.writing?.all??[])d(l,\`\${a} waits for its peer to take what was sent\`),d(f,\`the peer of \${a} has taken it\`);if(r.over!==void 0){let{outcome:l,failure:f}=r.over,u=f===void 0?"":\`, \${f}\`,m=l==="unknown"?": how was left out":\`: \${l}\${u}\`;d(r.overUs,\`\${a} is over\${m}\`)}let c=r.endUs(!0);return c<1/0&&r.endedWith!==void 0&&d(c,\`\${a} has ended with \${r.endedWith}\`),t}function H(r,e,t){let[n,o]=[0,r.length];for(;n<o;){let i=n+o>>1;e(r[i])<=t?n=i+1:o=i}return n}function Le(r,e,t){let n=e(t),o=r.at(-1);if(o===void 0||e(o)<=n)return r.push(t)-1;let i=H(r,e,n);return r.splice(i,0,t),i}var A=({at:r})=>r,it=r=>r,U=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=Le(this.#e,A,e),n=t-1,o=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,o);for(let i=t;i<this.#e.length;i++)this.#i[i]=o,o+=this.#t(this.#e[i])}find(e){let t=this.#e[H(this.#e,A,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[H(this.#e,A,e)-1]}weightAt(e){let t=H(this.#e,A,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:i})=>i>=e),n=t<0?this.#e.length:t;if(n===0)return;let o=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(o),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},L=class{#t=[];add(e,t){Le(this.#t,A,{at:e,value:t})}get all(){return this.#t}countAt(e){return H(this.#t,A,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},_=class{#t=[];#e=0;add(e){Le(this.#t,it,e)}countAt(e){return this.#e+H(this.#t,it,e)}forget(e){let t=this.#t.findIndex(o=>o>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};var oe=class{number;name;isLoop=!1;presence=new L;computing=new U;writing=new U;turns=new U(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return V("computing",t);if(n!==void 0)return V("writing",n);let{open:o}=this;if(o!==void 0&&o.at<=e&&e<o.to){if(o.what==="computing"||o.what==="writing")return V(o.what,o);if(o.what==="turn")return V("turn",o)}let i=this.turns.find(e);return i&&V("turn",i)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function V(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var Ue=1e3;function ot(r,e,t){let n=r.activityAt(e);if(r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=Ue))for(let i of t)i.doing!=="reading"||i.connection===n.connection||(i.doing="waiting for the loop",i.waitsFor=n.connection,i.sinceUs=Math.max(i.sinceUs,n.sinceUs));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var re=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;over;computing;awaiting;writing;open;constructor(e,t){this.id=e,this.peer=t}add(e,t){(this[e]??=new U).add(t)}forget(e){this.computing?.forget(e),this.awaiting?.forget(e),this.writing?.forget(e)}get fromUs(){return Math.min(this.seenUs,this.begunUs,this.inQueue?.at??1/0)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get accepting(){let e=Math.min(this.leftUs,this.begunUs,this.goneUs,this.inQueue?.at??1/0);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}hasEnded(e,t){let n=this.begunUs===1/0?this.goneUs:this.overUs;return e>=n&&e>=this.endUs(t)}endUs(e){return this.begunUs===1/0?this.goneUs:this.overUs===1/0?1/0:this.goneUs<1/0?Math.max(this.overUs,this.goneUs):e&&this.over?.outcome!=="unknown"?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.task=void 0,this.doing="waiting";let n=this.hasEnded(e,t),o=e>=this.overUs||n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=o?this.over?.outcome:void 0,this.failure=o?this.over?.failure:void 0,this.ending=n?this.endedWith??"unknown":void 0,n?this.#t("ended",this.endUs(t)):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{queued:t}=this,n=t===void 0?this.servedUs===1/0:t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing?.find(e)??Oe(t,"computing",e),o=this.awaiting?.find(e)??Oe(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let i=o??n;if(i!==void 0)return this.#n("waiting for computing",i);let s=this.writing?.find(e)??Oe(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading",this.sinceUs=Math.max(this.servedUs,this.computing?.last(e)?.to??0,this.awaiting?.last(e)?.to??0,this.writing?.last(e)?.to??0)}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function Oe(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var se=class{#t=[];#e=[];#i=!0;#n=[];#o=0;#s=-1/0;#r=0;get all(){return this.#a(),this.#t}add(e){this.#e.push(e)}comes({fromUs:e},t){t<1/0&&e<t&&(this.#i=!1)}lookAnew(){this.#s=1/0}keep(e){this.#a(),this.#t=this.#t.filter(e),this.lookAnew()}presentAt(e,t,n){this.#a();let o=e>=this.#s&&t===this.#r;o||(this.#n=[],this.#o=0);let i=s=>s.hasEnded(e-t,n);for(o&&this.#n.some(i)&&(this.#n=this.#n.filter(s=>!i(s)));this.#o<this.#t.length;this.#o++){let s=this.#t[this.#o];if(s.fromUs>e)break;i(s)||this.#n.push(s)}return this.#s=e,this.#r=t,this.#n}#a(){let e=this.#e;if(!(this.#i&&e.length===0)){if(this.#e=[],this.#i&&e.length<=256){for(let t of e)this.#d(t);return}for(let t of e)this.#t.push(t);this.#t.sort((t,n)=>t.fromUs-n.fromUs),this.#i=!0,this.lookAnew()}}#d(e){let t=this.#t,{fromUs:n}=e,o=t.length;for(;o>0&&t[o-1].fromUs>n;)o--;o===t.length?t.push(e):t.splice(o,0,e),!(o>=this.#o)&&(this.#o++,this.#n.push(e))}};var en=7e5,tn=.1,nn=["done","cut","empty","failed","unknown"],on=["FIN","RST","unknown"],dt={fin:"FIN",reset:"RST",unknown:"unknown"},$=class{header;isFinished=!1;#t;#e=new Map;#i=new Map;#n=new se;#o=new Map;#s=new Map;#r=new Map;#a=new Map;#d=new _;#h=new Map(nn.map(e=>[e,new _]));#l=new Map(on.map(e=>[e,new _]));#c=new L;#E;#m=new L;#g=new L;#w=new Map;#y=!1;#v=!1;#L=0;#u=1/0;#x=0;#p=1/0;#U=0;#$;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#u===1/0?0:this.#u,this.#U)}get toUs(){return this.#x}get firstUs(){let e=this.#n.all[0]?.fromUs??1/0;return e===1/0?void 0:e}get figures(){return this.#m.all.map(({value:e})=>e)}get dots(){return this.#n.all}add(e){for(let n of e)this.#P(n);this.#$=void 0;let t=this.#x-this.#t;t-this.#U>this.#t*tn&&this.#f(t)}at(e,t=0){let n=this.#n.presentAt(e,t,this.#y),o=new Map;for(let u of n){if(u.look(e,this.#y),u.place!=="thread"||u.server===void 0)continue;let m=o.get(u.server);m===void 0?o.set(u.server,[u]):m.push(u)}let i=[];for(let u of this.#e.values()){let m=o.get(u.number)??[];u.presence.at(e)!==!0&&m.length===0||i.push(ot(u,e,m))}rn(n,i);let s=this.#c.at(e),a=s?.queued,d=new Map([...this.#w].map(([u,m])=>[u,m.at(e)??0])),c=at(this.#l,e),f=![...d].some(([u,m])=>u!=="spans"&&m>0)?0:this.#D(s,c,n);return{us:e,dots:n,threads:i.sort((u,m)=>u.number-m.number),listeners:[...this.#i.values()].map(({local:u,course:m})=>{let{waiting:p,limit:b}=m.at(e)??{};return{local:u,waiting:p,limit:b}}),hasHandOver:this.#v||i.some(({kind:u})=>u==="accepts"),queued:a,totals:{begun:this.#d.countAt(e),outcomes:at(this.#h,e),endings:{...c,unknown:c.unknown+f}},counters:s,figures:this.#m.at(e),leftOut:d,isPartial:e-(this.#w.get("connections")?.last(e)?.at??-1/0)<en,isClosing:e>=this.#p,note:this.#g.at(e)}}countersAt(e){return this.#c.at(e)}#D(e,t,n){let o=this.#E;if(e===void 0||o===void 0)return 0;let i=({accepted:d=0,live:c=0})=>d-c,s=t.FIN+t.RST+t.unknown,a=n.reduce((d,{place:c})=>d+(c==="closing"?1:0),0);return Math.max(0,i(e)-i(o)-s-a)}find(e,t){return e!==void 0?this.#o.get(e):this.#n.all.find(n=>n.id===t)}lifeOf(e){return rt(Se(e,this.#b))}happenings(){return this.#$??=rt([...this.#n.all.flatMap(e=>Se(e,this.#b)),...this.#M()])}#M(){let e=this.#p;return this.#n.all.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#b=e=>this.#e.get(e??0)?.name??"a thread";#P(e){if(e.type==="recording"){this.header=e;return}switch(this.#u=Math.min(this.#u,e.at),this.#x=Math.max(this.#x,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#I(e);case"begun":return this.#O(e);case"queued":{this.#v=!0;let t=this.#o.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#o.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#h.get(e.outcome)?.add(e.at);let t=this.#o.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#H(e);case"doing":return this.#R(e);case"socket":return this.#N(e);case"connection":return this.#k(e);case"listener":{let t=e.cookie??e.local,n=this.#i.get(t)??{local:e.local,course:new L};this.#i.set(t,n),n.course.add(e.at,e);return}case"counters":this.#E??=e.values,this.#c.add(e.at,e.values);return;case"figures":this.#m.add(e.at,e);return;case"closing":this.#p=Math.min(this.#p,e.at);return;case"note":this.#g.add(e.at,e.text);return;case"left_out":{let t=this.#w.get(e.what)??new L;this.#w.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count),e.what!=="spans"&&this.#T(e.at);return}case"end":this.isFinished=!0}}#I({thread:e,name:t,loop:n,gone:o,at:i}){let s=this.#e.get(e)??new oe(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(i,o!==!0),o===!0&&(s.open=void 0)}#O(e){let{at:t,connection:n,peer:o,cookie:i,by:s}=e;this.#d.add(t);let d=(i===void 0?void 0:this.#r.get(i))??this.#s.get(o),l=d!==void 0&&d.connection===void 0&&t<d.goneUs?d:this.#C(o);l.goneUs<1/0&&this.#n.lookAnew();let{fromUs:f}=l;l.connection=n,l.begunUs=t,this.#n.comes(l,f),l.isOwn=s==="page",this.#o.set(n,l),i!==void 0&&this.#r.set(i,l);let u=this.#a.get(o);u!==void 0&&(this.#a.delete(o),u.at>=t&&st(l,u))}#C(e){let t=new re(++this.#L,String(e));return this.#n.add(t),this.#s.set(e,t),t}#H(e){let{name:t,at:n,to:o,thread:i,task:s}=e,a=i===void 0?void 0:this.#e.get(i);a?.open!==void 0&&a.open.at<o&&(a.open=void 0);let d=e.connection===void 0?void 0:this.#o.get(e.connection);d?.open!==void 0&&d.open.at<o&&(d.open=void 0);let c={at:n,to:o,thread:i,task:s};switch(t){case"computing":a?.computing.add(e),d?.add("computing",c);return;case"waiting for computing":d?.add("awaiting",c);return;case"writing":a?.writing.add(e),d?.add("writing",c);return;case"turn":case"turns":a?.turns.add(e)}}#R(e){let{at:t,thread:n,connection:o,peer:i,what:s,task:a}=e;if(i!==void 0)return this.#S(i,t,s!==void 0);let d=n===void 0?void 0:this.#e.get(n);if(s===void 0){let l=d===void 0?o:d.open?.connection;d?.open!==void 0&&(d.open={...d.open,to:t});let f=this.#o.get(l??0);f?.open!==void 0&&(f.open={...f.open,to:t});return}d!==void 0&&(d.open={...e,to:1/0});let c=this.#o.get(o??0);c!==void 0&&(c.open={at:t,to:1/0,thread:n,task:a,what:s})}#S(e,t,n){this.#v=!0;let o=this.#A(e,t);if(n){let i=o?.connection===void 0&&o!==void 0?o:this.#C(e),{fromUs:s}=i;i.inQueue={at:t,to:1/0},this.#n.comes(i,s)}else o?.inQueue!==void 0&&(o.inQueue={...o.inQueue,to:t})}#N({at:e,cookie:t,remote:n,state:o,end:i,waiting:s}){if(i==="client")return;this.#y||this.#n.lookAnew(),this.#y=!0;let a=this.#r.get(t)??this.#A(n,e);if(o==="CLOSE"){if(this.#r.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}if(s===!0){a??=this.#C(n);let{fromUs:d}=a;a.seenUs=Math.min(a.seenUs,e),this.#n.comes(a,d)}else a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e));a!==void 0&&this.#r.set(t,a)}#A(e,t){let n=this.#s.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#k(e){this.#l.get(dt[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#r.get(e.cookie))??this.#s.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?(n.goneUs<e.at&&this.#n.lookAnew(),st(n,e)):this.#a.set(e.remote,e)}#T(e){let t=new Set(this.#r.values());for(let n of this.#n.all)n.overUs<=e&&n.goneUs===1/0&&!t.has(n)&&(n.goneUs=e)}#f(e){this.#U=e;let t=({doneUs:n})=>n<e;this.#n.keep(n=>t(n)?(n.connection!==void 0&&this.#o.delete(n.connection),this.#s.get(n.peer)===n&&this.#s.delete(n.peer),!1):!0);for(let[n,o]of this.#r)t(o)&&this.#r.delete(n);for(let[n,{at:o}]of this.#a)o<e&&this.#a.delete(n);for(let n of this.#n.all)n.forget(e);for(let[n,o]of this.#e){o.forget(e);let{all:i}=o.presence;i.length===1&&i[0]?.value===!1&&i[0].at<e&&this.#e.delete(n)}for(let{course:n}of this.#i.values())n.forget(e);for(let n of[this.#d,...this.#h.values(),...this.#l.values()])n.forget(e);for(let n of[this.#c,this.#m,this.#g,...this.#w.values()])n.forget(e)}};function rt(r){return r.toSorted((e,t)=>e.us-t.us)}function st(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=dt[t]??"unknown"}function at(r,e){let t=[...r].map(([n,o])=>[n,o.countAt(e)]);return Object.fromEntries(t)}function rn(r,e){let t=s=>{let a=e.filter(d=>d.kind===s);return a.length===1?a[0]:void 0},n=t("serves"),o=n?.isLoop===!0?n.activity?.what==="computing"?n.activity.connection:void 0:n?.dots[0]?.connection,i=t("computes")?.activity?.connection;for(let s of r){let{place:a,doing:d,connection:c}=s;a==="accept queue"||a==="hand-over queue"?s.waitsFor=o:d==="waiting for computing"&&c!==i&&(s.waitsFor=i)}}var sn=Math.PI*(3-Math.sqrt(5));function ct(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function ut({width:r,height:e},t,n){let o=n*2.6,i=Math.min(o,Math.sqrt(r*e/Math.max(1,t)));for(;i>.5&&Math.max(1,Math.floor(r/i))*Math.max(1,Math.floor(e/i))<t;)i*=.97;return i}function ht(r,e,t,n){let o=ut(r,e,t),{x:i,y:s,width:a,height:d}=r;if(n){let l=Math.max(1,Math.floor(a/o));return f=>({x:i+o*(f%l+.5),y:s+d-o*(Math.floor(f/l)+.5)})}let c=Math.max(1,Math.floor(d/o));return l=>({x:i+a-o*(Math.floor(l/c)+.5),y:s+o*(l%c+.5)})}function q(r,e,t){let n=ut(r,e,t),o=Math.max(1,Math.floor(r.width/n));return i=>({x:r.x+n*(i%o+.5),y:r.y+n*(Math.floor(i/o)+.5)})}function Ce({x:r,y:e,width:t,height:n},o){let i=Math.max(4,Math.min(t,n)/2-o-3);return{x:r+t/2,y:e+n/2,radius:i}}function ft(r,e,t,n){let o=Math.floor(2*Math.PI*e.radius/(n*2.6)),i=2**Math.floor(Math.log2(Math.max(1,o))),s=t<=i,a=2**Math.ceil(Math.log2(Math.max(1,t)));r.set(\`\${e.x} \${e.y} \${e.radius} \${s?0:a}\`,d=>{if(s)return lt(e,e.radius,2*Math.PI*an(d)-Math.PI/2);let c=Math.sqrt(.06+.94*(d+.5)/a);return lt(e,e.radius*c,d*sn)})}function lt({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function an(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var ae=class{#t="";#e=()=>({x:0,y:0});#i=[];set(e,t){e!==this.#t&&(this.#t=e,this.#e=t,this.#i.length=0)}at(e){return this.#i[e]??=this.#e(e)}},I=class{#t=new Map;#e=[];#i=0;#n=0;get size(){return this.#i}keep(e){let t=++this.#n,n;for(let i of e){let s=this.#t.get(i);s===void 0?(n??=[]).push(i):s.round=t}let o=e.length-(n?.length??0);this.#t.size>o&&this.#o(t);for(let i of n??[])this.#t.set(i,{number:this.#e.pop()??this.#i++,round:t})}#o(e){for(let[t,n]of this.#t)n.round!==e&&(this.#t.delete(t),this.#e.push(n.number));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((t,n)=>n-t)}of(e){return this.#t.get(e)?.number??0}};var $e={closing:["Closing","not over yet"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]};function B(r,e,t){let n=h("p",{class:"count"}),o=h("p",{class:"who whom"}),i=h("div",{class:"well"});return{root:h("section",{class:\`box \${r}\`,children:[...e===""?[]:[h("h3",{text:e})],...t===""?[]:[h("p",{class:"who",text:t})],n,o,i]}),count:n,whom:o,well:i}}function mt({number:r,name:e,isLoop:t,kind:n,turns:o}){let i=h("p",{class:"what"}),s=h("div",{class:"well"});return{root:h("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[h("h4",{text:e}),i,s]}),what:i,well:s,turns:o,slots:new I,places:new ae,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function pt({activity:r,dots:e,isLoop:t}){return r?.what==="computing"?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function de(r,e){return\`\${k(r)} \${e}\${r===1?"":"s"}\`}function gt({activity:r,dots:e,isLoop:t,turns:n,kind:o},i,s){let a=r?.connection===void 0?"":\` for \${s(r.connection)}\`,d=r===void 0?"":x(Math.max(0,i-r.sinceUs));if(r?.what==="computing"){let f=r.task===void 0?"":\` \${r.task}\`;return t?\`stands still: computes\${f}\${a} · \${d}\`:\`computes\${f}\${a} · \${d}\`}if(t&&r!==void 0&&i-r.sinceUs>=Ue)return\`stands still: a turn\${a} · \${d}\`;if(t)return\`\${de(e.length,"connection")} · \${k(n)} \${n===1?"turn":"turns"}\`;if(o==="computes")return"free";let[c]=e;if(c===void 0)return"free";let l=c.connection===void 0?c.peer:s(c.connection);return c.doing==="writing"?\`waits until \${l} takes what was sent\`:\`waits for \${l} to send\`}var yt=90,dn=2e3,ln=4,cn=9,le=class{#t=new Map;#e=new Map(M.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,o]=[!1,!1];for(let i of e){let s=this.#t.get(i);if(s===void 0){n=!0,this.#t.set(i,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:i,look:R(i),place:i.place,thread:i.thread});continue}s.round=t;let a=R(i);o||=a!==s.look||i.place==="ended",s.look=a,!(s.place===i.place&&s.thread===i.thread)&&(n=!0,s.place=i.place,s.thread=i.thread)}if(this.#t.size>e.length){for(let[i,s]of this.#t)s.round!==t&&this.#t.delete(i);n=!0}return{hasMoved:n,hasChanged:o||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},o){let i=this.#t.get(e);i!==void 0&&(i.toX=t,i.toY=n,Number.isNaN(i.x)&&(i.x=t+o.x,i.y=n+o.y))}move(e,t){let n=t?1:1-Math.exp(-e/yt),o=!1;for(let i of this.#t.values()){let[s,a]=[i.toX-i.x,i.toY-i.y];n===1||Math.abs(s)+Math.abs(a)<.4?(i.x=i.toX,i.y=i.toY):(i.x+=s*n,i.y+=a*n,o=!0),!(i.alpha>=1)&&(i.alpha=Math.min(1,t?1:i.alpha+e/(2*yt)),o=!0)}return o}get isLarge(){return this.#t.size>dn}nearest({x:e,y:t},n){let[o,i]=[void 0,n*n];for(let s of this.#t.values()){let a=(s.x-e)**2+(s.y-t)**2;a>i||([o,i]=[s,a])}return o?.dot}draw(e,t){let{radius:n,colours:o}=t;for(let s of this.#e.values())s.length=0;for(let s of this.#t.values())Number.isNaN(s.x)||this.#e.get(s.look)?.push(s);for(let[s,a]of this.#e){if(a.length===0)continue;let d=o.get(s);n<ln?un(e,a,d,n):hn(e,a,s,d,t)}e.globalAlpha=1;let{isFollowed:i}=t;if(i!==void 0)for(let s of this.#t.values())i(s.dot)&&(e.strokeStyle=o.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(s.x,s.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function un(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let o=2*n;for(let{x:i,y:s}of e)r.fillRect(i-n,s-n,o,o);return}r.beginPath();for(let{x:o,y:i}of e)r.moveTo(o+n,i),r.arc(o,i,n,0,2*Math.PI);r.fill()}function hn(r,e,t,n,{radius:o,colours:i,letterOf:s,shareOf:a,font:d}){let c=We.get(t),l=i.get("well"),f=Math.max(1.5,o*.26);r.lineWidth=f,r.strokeStyle=n,r.font=d,r.textAlign="center",r.textBaseline="middle";for(let u of e){let{x:m,y:p,dot:b}=u;if(r.globalAlpha=u.alpha*a(b),r.beginPath(),c==="cross"){let w=o*.7;r.moveTo(m-w,p-w),r.lineTo(m+w,p+w),r.moveTo(m+w,p-w),r.lineTo(m-w,p+w),r.stroke();continue}r.arc(m,p,c==="ring"?o-f/2:o,0,2*Math.PI),r.fillStyle=c==="ring"?l:n,r.fill(),c==="ring"&&r.stroke(),!(o<cn)&&(r.fillStyle=c==="ring"?n:l,r.fillText(s(b),m,p+.5))}r.globalAlpha=1}function Ie({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var fn=32,mn=720,pn=100,gn=64,yn=70,Re="in the kernel",ce=class{root;canvas;#t;#e;#i;#n;#o;#s;#r;#a;#d=new le;#h;#l=new Map;#c;#E="";#m=new Map;#g=!1;#w=1;#y=!1;#v=new Map;#L=-1/0;#u=10;#x="";#p=!0;lingerUs=7e5;constructor(e){this.#h=e;let t=h("div",{class:"fill"}),n=B("accept","Accept queue",Re);n.count.after(h("div",{class:"gauge",children:[t]})),this.#e={...n,gauge:t,where:n.root.querySelector(".who")},this.#i=B("handover","Hand-over queue","in the process"),this.#s=h("div",{class:"cards"}),this.#r=h("p",{class:"others"}),this.#o=h("p",{class:"who"});let o=h("h3",{text:"Threads"});this.#n={root:h("section",{class:"box threads",children:[o,this.#o,this.#s,this.#r]}),title:o},this.#a=new Map(Object.keys($e).map(s=>{let a=B(\`end \${s.toLowerCase()}\`,...$e[s]);return[s,{...a,slots:new I}]}));let i=h("div",{class:"ends",children:[...this.#a.values()].map(({root:s})=>s)});this.#t=h("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,i]}),this.canvas=h("canvas",{attributes:{"aria-hidden":"true"}}),this.root=h("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#g=!1,this.#p=!0,this.#L=-1/0}hit(e){return this.#d.nearest(e,Math.max(14,this.#u+4))}show(e,t,n){let o=performance.now();this.#$(e)&&this.refresh(),o-this.#L>=pn&&(this.#L=o,this.#D(e)),this.#g||this.#P();let{hasMoved:i,hasChanged:s}=this.#d.keep(e.dots);(i||this.#p)&&this.#O(e);let a=this.#d.move(t,n),d=this.#N(e,t,n),c=this.#U(e);return(s||a||d||this.#p||c!==this.#x)&&this.#A(e),this.#x=c,this.#p=!1,a||d}#U({threads:e}){return e.map(({activity:t,isLoop:n,kind:o})=>t!==void 0&&(n||o==="computes")?\`\${t.what} \${t.connection}\`:"").join()}get isLarge(){return this.#d.isLarge}#$({threads:e,hasHandOver:t,totals:n}){let o=e.filter(({kind:y})=>y==="serves"||y==="computes"),i=o.filter(({isLoop:y})=>y),s=o.filter(({isLoop:y})=>!y),a=s.length>fn,d=a?i:[...i,...s],c=e.filter(({kind:y})=>y!=="serves"&&y!=="computes"),{unknown:l}=n.endings,f=JSON.stringify([t,a,l>0,d.map(({number:y,name:E})=>[y,E]),c.map(({name:y})=>y)]);if(f===this.#E)return!1;this.#E=f,this.#i.root.hidden=!t,this.#t.classList.toggle("with-handover",t);let u=new Map(this.#l);this.#l.clear();for(let y of d)this.#l.set(y.number,u.get(y.number)??mt(y));let m=[...this.#l.values()].map(({root:y})=>y);a?(this.#c??={...B("dense","",""),slots:new I},m.push(this.#c.root)):this.#c=void 0,this.#s.replaceChildren(...m),this.#s.classList.toggle("one",d.length===1&&!a);let p=i.length===0,b=d.some(({name:y})=>y.startsWith("process"));g(this.#n.title,p?b?"Processes":"Threads":i.length===1?"Event loop":"Event loops");let w=c.map(({name:y})=>y).join(", ");return g(this.#r,w===""?"":\`also there: \${w}\`),this.#r.hidden=w==="",!0}#D(e){let{listeners:t,dots:n,queued:o,totals:i,threads:s,us:a}=e,d=v=>n.reduce((T,ge)=>T+(ge.place===v?1:0),0),c=t.filter(({waiting:v})=>v!==void 0),l=c.reduce((v,{waiting:T=0})=>v+T,0),f=c.reduce((v,{limit:T=0})=>v+T,0);g(this.#e.count,c.length===0?"not known":\`\${l} of \${f}\`),this.#e.where!==null&&g(this.#e.where,e.isClosing?\`\${Re}; newcomers are kept out\`:Re),this.#e.gauge.style.width=\`\${f===0?0:Math.min(100,l/f*100)}%\`,this.#M(this.#e,"accept queue",n),this.#M(this.#i,"hand-over queue",n);let u=d("hand-over queue");g(this.#i.count,String(Math.max(u,o??0)));for(let v of s){let T=this.#l.get(v.number);if(T===void 0)continue;let{root:ge,what:De}=T,Pe=gt(v,a,this.#h.nameOf);g(De,Pe),De.title=Pe,ge.dataset.state=pt(v)}let m=s.filter(({kind:v})=>v==="serves"),p=m.reduce((v,{dots:T})=>v+T.length,0),b=m.filter(({dots:v})=>v.length>0).length;this.root.classList.toggle("partial",e.isPartial);let w=e.counters?.live,y=(e.leftOut.get("connections")??0)===0||w===void 0||w<=p;if(g(this.#o,e.isPartial&&w!==void 0?\`the server counts \${de(w,"connection")}, too many come and go to draw each\`:m.some(({isLoop:v})=>v)?\`\${y?"":\`\${k(p)} of \`}\${de(y?p:w,"connection")} in turns\`:\`\${k(b)} of \${k(m.length)} \${b===1?"serves":"serve"}\`),this.#c!==void 0){let v=m.filter(({activity:T})=>T?.what==="computing").length;g(this.#c.count,\`\${k(m.length)} threads: \${k(v)} compute, \${k(b-v)} wait for peers, \${k(m.length-b)} are free\`)}let{endings:E,outcomes:me}=i,vt=Object.values(me).reduce((v,T)=>v+T,0),Ne=E.FIN+E.RST+E.unknown;g(this.#b("closing").count,String(d("closing"))),g(this.#b("FIN").count,k(E.FIN)),g(this.#b("RST").count,k(E.RST));let pe=E.unknown+(Ne===0?vt:0);g(this.#b("unknown").count,k(pe));let xt=Ne>0||pe===0;for(let v of["closing","FIN","RST"])this.#b(v).root.hidden=!xt;this.#b("unknown").root.hidden=pe===0}#M({whom:e},t,n){let o=n.find(i=>i.place===t)?.waitsFor;g(e,o===void 0?"":\`for \${this.#h.nameOf(o)}\`)}#b(e){return this.#a.get(e)}#P(){this.#g=!0;let e=this.root.getBoundingClientRect(),t=l=>{let{x:f,y:u,width:m,height:p}=l.getBoundingClientRect();return{x:f-e.x,y:u-e.y,width:m,height:p}};this.#y=e.width<mn,this.#m=new Map;let n=[this.#e,this.#i,...this.#a.values()].map(({well:l})=>l);this.#c!==void 0&&n.push(this.#c.well);for(let l of n)this.#m.set(l,t(l));for(let l of this.#l.values())l.rectangle=t(l.well);let o=this.#w=Math.min(2,devicePixelRatio),[i,s]=[Math.round(e.width*o),Math.round(e.height*o)];(this.canvas.width!==i||this.canvas.height!==s)&&(this.canvas.width=i,this.canvas.height=s);let a=getComputedStyle(this.root),d=h("i",{class:"probe"});this.root.append(d);let c=[...M.map(({look:l})=>l),"well","accent","line","faint"];this.#v=new Map(c.map(l=>(d.style.color=\`var(--figure-\${l})\`,[l,getComputedStyle(d).color]))),d.remove(),this.#I=\`600 10px \${a.fontFamily}\`}#I="600 10px sans-serif";#O(e){let{dots:t,threads:n}=e;this.#u=ct(t.length);let o=this.#u,i=new Map;for(let l of t){let f=l.place==="ended"?l.ending:l.place,u=i.get(f);u===void 0?i.set(f,[l]):u.push(l)}let s=this.#y?{x:0,y:-18}:{x:-18,y:0},a=(l,f)=>l.sinceUs-f.sinceUs||l.id-f.id,d=(l,{well:f})=>{let u=ht(this.#S(f),l.length,o,this.#y);l.sort(a).forEach((m,p)=>this.#d.send(m,u(p),s))};d(i.get("accept queue")??[],this.#e);let c=!this.#i.root.hidden;c&&d([...i.get("hand-over queue")??[],...i.get("taken")??[]],this.#i);for(let l of n)this.#H(l,s);if(this.#c!==void 0&&this.#R(n,s),!c){let{x:l,y:f,height:u}=this.#C();for(let m of[...i.get("hand-over queue")??[],...i.get("taken")??[]])this.#d.send(m,{x:l-o,y:f+u/2},s)}for(let[l,{well:f,slots:u}]of this.#a){let m=i.get(l)??[];u.keep(m);let p=q(this.#S(f),Math.max(1,u.size),o);for(let b of m)this.#d.send(b,p(u.of(b)),s)}}#C(){return[...this.#l.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#H({number:e,dots:t,isLoop:n},o){let i=this.#l.get(e);if(i===void 0)return;let{rectangle:s,slots:a,places:d}=i;a.keep(t);let c=this.#u;if(n){ft(d,Ce(s,c),a.size,c);for(let f of t)this.#d.send(f,d.at(a.of(f)),o);return}let l=q(s,Math.max(1,a.size),c);for(let f of t)this.#d.send(f,l(a.of(f)),o)}#R(e,t){if(this.#c===void 0)return;let{well:n,slots:o}=this.#c,i=e.filter(({number:a,kind:d})=>d==="serves"&&!this.#l.has(a));o.keep(i.map(({number:a})=>a));let s=q(this.#S(n),Math.max(1,o.size),this.#u);for(let{number:a,dots:d}of i)for(let c of d)this.#d.send(c,s(o.of(a)),t)}#S(e){return this.#m.get(e)??{x:0,y:0,width:1,height:1}}#N({threads:e,dots:t},n,o){let i=!1;for(let{number:s,isLoop:a,activity:d,turns:c,lastTurn:l,dots:f}of e){let u=a?this.#l.get(s):void 0;if(u===void 0)continue;let m=d?.connection??l,p=m===void 0?void 0:f.find(({connection:y})=>y===m),b=p&&this.#d.find(p);if(b!==void 0){let y=Ie(u.rectangle);u.toAngle=Math.atan2(b.toY-y.y,b.toX-y.x)}else c!==u.turns&&(u.toAngle+=(c-u.turns)*2*Math.PI/Math.max(8,f.length));u.turns=c;let w=bn(u.toAngle-u.angle);o||Math.abs(w)<.01?u.angle=u.toAngle:(u.angle+=w*(1-Math.exp(-n/yn)),i=!0)}return i&&t.length>0}#A(e){let t=this.canvas.getContext("2d");if(t===null)return;let n=this.#w;t.setTransform(n,0,0,n,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let i of e.threads)i.isLoop&&this.#T(t,i);this.#f(t,e.threads),this.#F(t,e);let{lingerUs:o}=this;this.#d.draw(t,{radius:this.#u,colours:this.#v,font:this.#I,letterOf:this.#h.letterOf,isFollowed:this.#h.followed(),shareOf:({place:i,sinceUs:s})=>i==="ended"?Math.max(0,1-(e.us-s)/o):1})}#k(e){return this.#v.get(e)??"gray"}#T(e,{number:t,activity:n}){let o=this.#l.get(t);if(o===void 0)return;let{x:i,y:s,radius:a}=Ce(o.rectangle,this.#u),d=n?.what==="computing";e.lineWidth=d?2.5:1.5,e.strokeStyle=this.#k(d?"computing":"line"),e.beginPath(),e.arc(i,s,a,0,2*Math.PI),e.stroke();let c=Math.max(4,a-this.#u-6);e.strokeStyle=this.#k(d?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=d?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(i,s),e.lineTo(i+c*Math.cos(o.angle),s+c*Math.sin(o.angle)),e.stroke(),e.beginPath(),e.arc(i,s,d?6:4,0,2*Math.PI),e.fill()}#f(e,t){if(this.#c===void 0)return;let{well:n,slots:o}=this.#c,i=q(this.#S(n),Math.max(1,o.size),this.#u),s=Math.max(2,this.#u*2.2);e.strokeStyle=this.#k("line"),e.lineWidth=1;for(let{number:a,kind:d}of t){if(d!=="serves"||this.#l.has(a))continue;let{x:c,y:l}=i(o.of(a));e.strokeRect(c-s/2,l-s/2,s,s)}}#F(e,{threads:t,dots:n}){let o=t.filter(({kind:s,activity:a})=>s==="computes"&&a?.what==="computing").slice(0,gn);if(o.length===0)return;let i=20;e.font=this.#I,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:a}of o){let d=this.#l.get(s);if(d===void 0||a===void 0)continue;let{x:c,y:l}=Ie(d.rectangle),f=n.find(({connection:m})=>m===a.connection),u=f&&this.#d.find(f);u!==void 0&&(e.strokeStyle=this.#k("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(u.x,u.y),e.lineTo(c,l),e.stroke(),e.setLineDash([])),e.fillStyle=this.#k("computing"),e.beginPath(),e.roundRect(c-i/2,l-i/2,i,i,4),e.fill(),f!==void 0&&(e.fillStyle=this.#k("well"),e.fillText(this.#h.letterOf(f),c,l+.5))}}};function bn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var wn=6e7,vn=700,xn=12,kn=.04,Tn=150,En=5e3,Mn=3e3,Sn=250,ue=class extends K{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new ie;#i=new F;#n=new $;#o=[];#s=new Map;#r=!1;#a=!1;#d;#h;#l=new ne({nameOf:e=>this.#N(e),named:e=>this.#q(e)});#c;#E;#m;#g;#w;#y=[];#v;#L=!0;#u=0;#x;#p=-1/0;#U=-1/0;#$="";#D=new D;get lines(){return this.#t}set lines(e){this.#t=e,this.#r=!1,this.#a=!1,this.#n=new $,this.#n.add(Q(e)),this.#C()}get names(){return this.#o}set names(e){this.#o=e,this.#S(),this.#f()}get view(){return this.#n.at(this.#e.us,this.#k)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#l.connection}startLive(e=!1){this.#r=!0,this.#a=!0,this.#n=new $({keepUs:wn}),this.#i=new F,this.#e.goLive(),this.#C(e)}appendLines(e){this.#r||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#f()}stopLive(){this.#a&&(this.#a=!1,this.#e.isLive=!1,this.#f())}play(){this.#e.play(),this.#f()}pause(){this.#e.pause(),this.#f()}seek(e){this.#R(),this.#e.seek(e),this.#f()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),o=e>0?n.find(i=>i.us>t+.5):n.findLast(i=>i.us<t-.5);o!==void 0&&this.seek(o.us)}follow(e){this.#M({connection:e})}#M(e){this.#l.follow(e),this.#b(),this.#T()}#b(){let e=this.#h?.follow,{connection:t}=this.#l,n=t===void 0?"":String(t);e!==void 0&&e.value!==n&&(e.value=n)}#P(e){let{dots:t}=this.view;if(t.length===0)return;let n=t.findIndex(i=>this.#l.is(i)),o=n<0&&e<0?t.length-1:(n+e+t.length)%t.length;this.#M(t[o])}connectedCallback(){this.#d===void 0&&this.#B();let e=new IntersectionObserver(([i])=>{this.#L=i?.isIntersecting??!0,this.#f()});e.observe(this);let t=new ResizeObserver(()=>this.#T());t.observe(this.#d?.root);let n=new MutationObserver(()=>this.#T());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#y=[e,t,n],this.#v=new AbortController;let{signal:o}=this.#v;for(let i of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(i).addEventListener("change",()=>this.#T(),{signal:o});this.#f()}disconnectedCallback(){for(let e of this.#y)e.disconnect();this.#y=[],this.#v?.abort(),this.#D.stop(),cancelAnimationFrame(this.#u),this.#u=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#I(n),e==="names"&&(this.names=G(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#V()}async#I(e){await this.#D.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!we()&&this.play()},t=>this.#O(t))}#O(e){this.#m!==void 0&&g(this.#m,e)}#C(e=!1){if(this.#S(),this.#V(),this.#R(),!this.#a){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let t=Number(this.getAttribute("speed"));this.#e.setSpeed(t>0?t:this.#H())}e?this.#l.renew():this.follow(void 0),this.#T()}#H(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/xn;return P.find(o=>o>=n)??10}#R(){let e=this.#n;if(this.#r){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,o]=[t[0],t.at(-1)];if(n===void 0||o===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let i=Math.max(1e3,(o.us-n.us)*kn);this.#e.range={fromUs:Math.max(0,n.us-i),toUs:o.us+i}}#S(){if(this.#s=new Map,this.#o.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#o.length).entries())this.#s.set(n,this.#o[t])}#N(e){return this.#s.get(e)??\`#\${e}\`}#A({connection:e}){if(e===void 0)return"";let t=this.#s.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#k(){return vn*1e3*this.#e.speed}#T(){this.#d?.refresh(),this.#p=-1/0,this.#f()}#f(){this.#u!==0||this.#d===void 0||!this.isConnected||(this.#u=requestAnimationFrame(e=>this.#F(e)))}#F(e){this.#u=0;let t=this.#d;if(t===void 0)return;let n=we(),o=Math.min(100,e-(this.#x??e));if(n&&this.#e.isPlaying&&e-(this.#x??-1/0)<Sn){this.#f();return}this.#x=e,this.#R();let i=this.#e.us,s=this.#a?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:a}=this.#e,{view:d}=this;t.lingerUs=this.#k;let c=t.isLarge&&Math.abs(a-i)>1e6,l=t.show(d,o,n||c);(e-this.#p>=Tn||!this.#e.isPlaying)&&(this.#p=e,this.#z(d)),(this.#e.isPlaying&&this.#L||l)&&this.#f()}#B(){let e=this.attachShadow({mode:"open"});N(e,O,X,Ye,Qe,je);let t=new ce({nameOf:i=>this.#N(i),letterOf:i=>this.#A(i),followed:()=>this.#l.isSomebody?i=>this.#l.is(i):void 0});this.#d=t,t.canvas.addEventListener("click",i=>{let{x:s,y:a}=t.canvas.getBoundingClientRect(),d=t.hit({x:i.clientX-s,y:i.clientY-a});this.#M(d??{})}),this.#c=h("h2"),this.#E=h("p",{class:"sub"}),this.#m=h("p",{class:"now"}),this.#g=h("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=Ze();this.#h=n,this.#W(n);let o=new ee(i=>this.#N(i),{onOpen:()=>this.#T(),onFollow:i=>this.#M(i)});this.#w=o,e.append(h("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[h("div",{class:"head",children:[this.#c,this.#E]}),t.root,n.root,this.#m,this.#l.root,et(),o.root,this.#g]})),this.#V()}#W(e){let{play:t,live:n,slower:o,faster:i,back:s,step:a,time:d,follow:c}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#f()}),o.addEventListener("click",()=>this.#_(-1)),i.addEventListener("click",()=>this.#_(1)),s.addEventListener("click",()=>this.step(-1)),a.addEventListener("click",()=>this.step(1)),d.addEventListener("input",()=>{let{fromUs:l,toUs:f}=this.#e.range;this.#e.pause(),this.seek(l+Number(d.value)/Number(d.max)*(f-l))}),c.addEventListener("input",()=>{let l=Number(c.value);this.follow(c.value!==""&&Number.isInteger(l)?l:void 0)}),this.shadowRoot?.addEventListener("keydown",l=>this.#K(l))}#K(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,o=t instanceof HTMLButtonElement,{key:i}=e;if(i==="Escape")this.follow(void 0);else{if(n)return;if(i==="+")this.#_(1);else if(i==="-")this.#_(-1);else if(i===".")this.step(1);else if(i===",")this.step(-1);else if(i==="n")this.#P(1);else if(i==="p")this.#P(-1);else if(i==="k"||i===" "&&!o&&t===this.#h?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#_(e){this.#e.changeSpeed(e),this.#T()}#V(){if(this.#c===void 0||this.#E===void 0)return;let{header:e}=this.#n;g(this.#c,this.getAttribute("data-title")??e?.by??""),g(this.#E,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#c.parentElement?.toggleAttribute("hidden",e===void 0&&this.#c.textContent==="")}#z(e){this.#G(e),this.#Y(e),this.#l.show(e,this.#n,this.#e.range.fromUs),this.#b(),this.#w?.show(e),this.#j(e)}#G({us:e}){let t=this.#h;if(t===void 0)return;let{isPlaying:n,isLive:o,speed:i,range:s}=this.#e;g(t.play,n?"Pause":this.#e.isAtEnd&&!this.#a?"Again":"Play"),t.live.hidden=!this.#a,g(t.live,o?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(o)),g(t.speed,i>=1?\`\${i}×\`:\`1/\${Math.round(1/i)}×\`),t.slower.disabled=i<=P[0],t.faster.disabled=i>=P.at(-1);let a=Math.max(1,s.toUs-s.fromUs),{max:d}=t.time,c=String(Math.round((e-s.fromUs)/a*Number(d)));t.time.value!==c&&(t.time.value=c);let l=this.#a?o?"now":\`\${x(Math.max(0,s.toUs-e))} ago\`:\`\${x(Math.max(0,e-s.fromUs))} of \${x(a)}\`;g(t.moment,l),t.time.setAttribute("aria-valuetext",l)}#Y({us:e,note:t,leftOut:n,isPartial:o}){if(this.#a&&this.#e.isPlaying){if(!o)return this.#O(t??"");let s=n.get("connections")??0;return this.#O(\`Too many connections to draw each of them: \${k(s)} were left out so far.\`)}let i=this.#n.dots.length>Mn?void 0:this.#Q(e);this.#O(i===void 0?t??"":this.#q(i))}#Q(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#q({text:e,connection:t}){let n=t===void 0?void 0:this.#s.get(t),o=n===void 0?e:e.replaceAll(\`#\${t}\`,n);return o.slice(0,1).toUpperCase()+o.slice(1)}#j({dots:e,totals:t}){let n=performance.now();if(this.#g===void 0||n-this.#U<En)return;let o=c=>e.filter(l=>l.place===c).length,i=o("thread"),s=o("accept queue")+o("hand-over queue"),a=Object.values(t.outcomes).reduce((c,l)=>c+l,0),d=\`\${i} served, \${s} waiting, \${a} over\`;d!==this.#$&&(this.#U=n,this.#$=d,g(this.#g,d))}};z("model-figure",ue);var Ln={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},Un=250,fe=S("figure"),wt=[new C({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:Fe,least:10}),new C({title:"Life of a connection",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:x,least:1e3}),new C({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${qe(r)} of a core\`,least:1}),new C({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:Ve,least:2**20,unit:2**20})],bt,he=!1;N(document,O);S("charts").append(...wt.map(({root:r})=>r));setInterval(Pn,Un);new j({begins:$n,lines:In,state:Rn});function S(r){return document.getElementById(r)}async function On(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:o,version:i,details:s=[],actions:a=[]}=r;g(S("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let d=[t,n,...s,o,i&&\`version \${i}\`];g(S("about"),d.filter(c=>c!==void 0).map(String).join(" · ")),S("actions").hidden=a.length===0,S("buttons").replaceChildren(...a.map(c=>{let[l,f]=Ln[c]??[String(c),""],u=h("button",{text:l,attributes:{type:"button",title:f}});return u.addEventListener("click",()=>{Cn(String(c),u)}),u}))}async function Cn(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();g(S("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{g(S("answer"),"The server does not answer.")}finally{e.disabled=!he,e.focus()}}function $n(){On()}function In(r){for(let e of r)e.type==="recording"&&(fe.startLive(e.began_us===bt),bt=e.began_us);fe.appendLines(r)}function Rn({kind:r,text:e,page:t}){let n=S("state");n.dataset.state=r,g(n,e),he=r==="live"||r==="silent",he||fe.stopLive();for(let i of S("buttons").querySelectorAll("button"))i.disabled=!he;if(t===void 0||!Nn(t))return;let o=h("a",{text:"Its page",attributes:{href:t}});n.append(" ",o)}function Nn(r){return URL.canParse(r)&&new URL(r).protocol==="http:"}function Dn(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function Pn(){if(document.hidden)return;let{us:r,scene:e}=fe,{figures:t}=e;for(let s of wt)s.show(t,r);let n=e.countersAt(r)??{},o=S("counters"),i=Object.keys(n);o.dataset.names!==i.join()&&(o.dataset.names=i.join(),o.replaceChildren(...i.map(s=>h("div",{children:[h("dt",{text:Dn(s)}),h("dd")]}))));for(let[s,a]of[...o.querySelectorAll("dd")].entries())g(a,k(n[i[s]]??0))}})();
;
    </script>
  </body>
</html>
`;
