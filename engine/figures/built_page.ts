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

.chart .note {
  margin-top: 0.4rem;
  color: var(--figure-faint);
  font-size: 0.8125rem;
}

#counted-age {
  min-height: 1.5em;
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
        <p id="counted-age" class="faint"></p>
        <dl id="counters"></dl>
      </section>
    </main>
    <script nonce="{{nonce}}">
    "use strict";(()=>{var Pt=[["µs",1],["ms",1e3],["s",1e6]],Ve=[["",1],["k",1e3],["M",1e6],["G",1e9]],At=[["B",1],["KiB",2**10],["MiB",2**20],["GiB",2**30],["TiB",2**40]],Fe="–",ve=3;function v(r){return Y(r,Pt)}var qe=[["min",60],["h",3600]];function Be(r){if(xe(r))return Fe;if(r>0&&r<1){let[t,n]=qe.find(([,s])=>r*s>=1)??qe[1],i=r*n,o=Math.round(i);return\`\${Math.abs(i-o)<.001&&o>0?o:Ke(i)} /\${t}\`}let e=Y(r,Ve);return e.includes(" ")?\`\${e}/s\`:\`\${e} /s\`}function G(r){return Y(r,Ve)}function T(r){return r.toLocaleString("en")}function Qe(r){return Y(xe(r)?r:Math.round(r),At)}function We(r){return r===0||r===1?\`\${r*100} %\`:r<1e-4?"under 0.01 %":r<.1?\`\${(r*100).toFixed(2)} %\`:r>.99&&r<1?\`\${(Math.floor(r*1e4)/100).toFixed(2)} %\`:\`\${Math.round(r*100)} %\`}function xe(r){return r===null||Number.isNaN(r)}function Y(r,e){if(xe(r))return Fe;for(let[t,[n,i]]of e.entries()){let o=i===1&&Number.isInteger(r)?String(r):Ke(r/i),[,s]=e[t+1]??[];if(!(s!==void 0&&Number(o)*i>=s))return n===""?o:\`\${o} \${n}\`}return String(r)}function Ke(r){let e=r<1?1:Math.floor(Math.log10(r))+1,t=r.toFixed(Math.max(0,ve-e));return Number(t)>=10**e&&e<ve?r.toFixed(ve-e-1):t}var S=[{look:"accept",shape:"ring",words:"waits in the accept queue"},{look:"queue",shape:"ring",words:"waits for a thread"},{look:"reading",shape:"ring",words:"its peer is to send"},{look:"computing",shape:"disc",words:"computing"},{look:"writing",shape:"disc",words:"its peer is to take what was sent"},{look:"awaiting",shape:"ring",words:"another thread computes for it"},{look:"held",shape:"ring",words:"its loop computes for another"},{look:"closing",shape:"ring",words:"its conversation is over"},{look:"fin",shape:"ring",words:"ended with FIN"},{look:"rst",shape:"cross",words:"ended with RST"},{look:"ended",shape:"ring",words:"ended, not known how"}],ze=new Map(S.map(({look:r,shape:e})=>[r,e]));function R({place:r,doing:e,ending:t}){switch(r){case"accept queue":return"accept";case"hand-over queue":case"taken":return"queue";case"thread":return Nt[e];case"closing":return"closing";case"ended":return t==="FIN"?"fin":t==="RST"?"rst":"ended"}}var Nt={waiting:"queue",reading:"reading",computing:"computing",writing:"writing","waiting for computing":"awaiting","waiting for the loop":"held"},Dt={ground:["#ffffff","#171b22"],box:["#f5f7fa","#1f252e"],well:["#ffffff","#161b22"],line:["#d9dfe8","#353e4b"],text:["#1a2230","#e8ecf2"],faint:["#566174","#a3afc0"],accent:["#2458c5","#8db4ff"],accept:["#c74e00","#ff9257"],queue:["#a06a00","#f2bd4b"],reading:["#66758c","#93a3b8"],computing:["#00795a","#35d6a6"],writing:["#0067a5","#62bcff"],awaiting:["#9a3f84","#e59acd"],held:["#c74e00","#ff9257"],closing:["#66758c","#93a3b8"],fin:["#66758c","#93a3b8"],rst:["#b8123a","#ff8095"],ended:["#66758c","#93a3b8"]},O=\`:host, :root {
\${Object.entries(Dt).map(([r,[e,t]])=>\`  --figure-\${r}: light-dark(\${e}, \${t});\`).join(\`
\`)}
}
\${S.map(({look:r})=>\`.of-\${r} { color: var(--figure-\${r}); }\`).join(\`
\`)}
\`;var j=globalThis.HTMLElement??class{};function f(r,e={}){let t=document.createElement(r);e.class!==void 0&&(t.className=e.class),e.text!==void 0&&(t.textContent=e.text);for(let[n,i]of Object.entries(e.attributes??{}))t.setAttribute(n,i);return t.append(...e.children??[]),t}function w(r,e){r.textContent!==e&&(r.textContent=e)}var Ge=new Map;function P(r,...e){r.adoptedStyleSheets=e.map(t=>{let n=Ge.get(t);if(n!==void 0)return n;let i=new CSSStyleSheet;return i.replaceSync(t),Ge.set(t,i),i})}function X(r,e){globalThis.customElements===void 0||customElements.get(r)!==void 0||customElements.define(r,e)}function J(r){return(r??"").split("|").map(e=>e.trim()).filter(e=>e!=="")}function ke(){return matchMedia("(prefers-reduced-motion: reduce)").matches}var Ye=6e7,Ht=[[],[5,3]],Te=72,$=class{root;#t;#e;#i;#n;constructor(e){this.#t=e,this.#e=f("p",{class:"value",text:"–"}),this.#i=f("span",{class:"top"}),this.#n=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("figure",{class:"chart",children:[f("figcaption",{children:[f("h3",{text:e.title}),this.#e]}),f("div",{class:"plot",children:[this.#n,this.#i]}),...e.note===void 0?[]:[f("p",{class:"note",text:e.note})]]})}show(e,t){let{series:n,format:i,least:o,unit:s=1}=this.#t,d=e.filter(({at:c})=>c>t-Ye&&c<=t),a=d.at(-1),u=n.flatMap(({name:c,of:m})=>{let p=a&&m(a);return p===void 0?[]:[c===""?i(p):\`\${c} \${i(p)}\`]});w(this.#e,u.length===0?"not known":u.join(" · "));let l=d.flatMap(c=>n.map(({of:m})=>m(c)??0)),h=_t(Math.max(o,...l)/s)*s;w(this.#i,i(h)),this.#o(d,t,h)}#o(e,t,n){let{width:i}=this.#n.getBoundingClientRect(),o=Math.min(2,devicePixelRatio),[s,d]=[Math.round(i*o),Math.round(Te*o)];(this.#n.width!==s||this.#n.height!==d)&&(this.#n.width=s,this.#n.height=d);let a=this.#n.getContext("2d");if(a===null)return;let u=getComputedStyle(this.#n);a.setTransform(o,0,0,o,0,0),a.clearRect(0,0,i,Te);let l=c=>(1-(t-c)/Ye)*i,h=c=>1+(1-c/n)*(Te-2);a.strokeStyle=u.borderBottomColor,a.lineWidth=1;for(let c of[0,1])a.beginPath(),a.moveTo(0,h(c*n)),a.lineTo(i,h(c*n)),a.stroke();a.strokeStyle=u.color,a.lineWidth=1.75,a.lineJoin="round";for(let[c,{of:m}]of this.#t.series.entries()){a.setLineDash([...Ht[c]??[]]),a.beginPath();let p=!1;for(let y of e){let b=m(y);if(b===void 0){p=!1;continue}p?a.lineTo(l(y.at),h(b)):a.moveTo(l(y.at),h(b)),p=!0}a.stroke()}a.setLineDash([])}};function _t(r){let e=10**Math.floor(Math.log10(r));return([1,2,5,10].find(t=>t*e>=r)??10)*e}var Vt={recording:["version","began_us"],thread:["at","thread"],begun:["at","connection"],queued:["at","to","connection"],served:["at","thread","connection"],over:["at","connection"],span:["at","to"]};function Z(r){let e=[],t=0;for(let n of r.split(\`
\`)){if(n.trim()==="")continue;let i=Ft(n);i===void 0?t++:e.push(i)}return{lines:e,damaged:t}}function Ft(r){let e;try{e=JSON.parse(r)}catch{return}if(typeof e!="object"||e===null)return;let t=e;if(!(typeof t.type!="string"||!(Vt[t.type]??["at"]).every(i=>Number.isFinite(t[i])))&&!(t.type==="recording"&&t.version!==1))return e}function ee(r){let e=t=>t.type==="recording"?-1:t.at;return r.toSorted((t,n)=>e(t)-e(n))}var A=class{#t;async load(e,t,n){this.stop();let{signal:i}=this.#t=new AbortController;try{let o=await fetch(e,{signal:i});if(!o.ok)throw new Error(\`the answer is \${o.status}\`);let{lines:s}=Z(await o.text());if(s.length===0)throw new Error("it is not a recording");t(s)}catch(o){if(i.aborted)return;n(\`Cannot show \${e}: \${o instanceof Error?o.message:String(o)}\`)}}stop(){this.#t?.abort()}};var Bt=1e3,Qt=3e4,Wt=300,Kt=5e3,zt=1e3,te=class{#t;#e;#i;#n;#o=0;#a=0;constructor(e){this.#t=e,this.#s(),setInterval(()=>this.#u(),zt),document.addEventListener("visibilitychange",()=>{document.hidden||this.#i===void 0||(this.#o=0,this.#s())})}#r(e,t,n){this.#n=e,this.#t.state({kind:e,text:t,...n!==void 0&&{page:n}})}#s(){clearTimeout(this.#i),this.#i=void 0;let e=this.#e=new EventSource("events");e.addEventListener("message",({data:t})=>this.#d(String(t))),e.addEventListener("error",()=>{e.close(),e===this.#e&&this.#l()})}#d(e){let{lines:t}=Z(e);this.#a=performance.now(),this.#o=0,t.some(({type:i})=>i==="recording")&&this.#t.begins(),this.#n!=="live"&&this.#r("live","live"),this.#t.lines(t);let n=t.find(i=>i.type==="end");n!==void 0&&this.#h(n)}#h({successor:e,page:t}){if(this.#e?.close(),this.#e=void 0,e===void 0)return this.#r("ended","The server has ended. This is its last picture.");let n=\`Process \${e} serves now\`;if(t===void 0)return this.#r("ended",\`\${n}, and has no page. This is the last picture.\`);if(!(URL.canParse(t)&&new URL(t).pathname===location.pathname))return this.#r("ended",\`\${n}. This is the last picture.\`,t);this.#r("lost",\`\${n}: connecting to it …\`),this.#i=setTimeout(()=>this.#s(),Wt)}async#l(){this.#e=void 0,this.#n!=="lost"&&this.#r("lost","The server does not answer …");let e=0;try{({status:e}=await fetch("events",{method:"HEAD"}))}catch{}if(e===404||e===421)return this.#r("ended","Another server is here now. It has printed the address of its own page. This is the last picture of the one before.");let t=Math.min(Qt,Bt*2**this.#o++),n=G(Math.round(t/1e3)),i=e===0?"The server does not answer. This is its last picture":e===503?"Too many read along, and the server tells nobody else":"The link to the server has broken. This is its last picture";this.#r("lost",\`\${i}; trying again in \${n} s.\`),this.#i=setTimeout(()=>this.#s(),t)}#u(){this.#e===void 0||this.#n!=="live"||performance.now()-this.#a<Kt||this.#r("silent","The server says nothing. Perhaps its process is stopped.")}};var Me={computing:"the server computes for it",accept:"waits to be accepted",queue:"waits in the server's queue, or for its thread to start",thread:"waits for a thread that is busy with another client",talk:"talks"};function Ee(r){let e=new Map,t=new Map,n=r.at(-1)?.at??0;for(let i of r)if(i.type==="socket"&&i.waiting===!0)e.has(i.remote)||e.set(i.remote,i.at);else if(i.type==="begun"){let{connection:o,peer:s,at:d}=i;t.set(o,{peer:s,fromUs:e.get(s)??d,toUs:n}),e.delete(s)}else if(i.type==="over"){let o=t.get(i.connection);o!==void 0&&(o.toUs=i.at)}return[...t.values()].sort((i,o)=>i.fromUs-o.fromUs)}var Gt=["computing","queue","accept","thread"],Yt=["queue","accept","thread"],ne=1e3;function Se(r,e){let t=e.map(n=>jt(r,n));return e.map((n,i)=>Le(n,i,t))}function Le(r,e,t){let n=t[e],i=c=>c!==n&&c.thread===n.thread,o=t.filter(i),s={accept:[[r.fromUs,n.begunUs]],queue:[[n.begunUs,n.servedUs]],thread:[...o.flatMap(({busy:c})=>c),...n.awaiting.map(({until:c})=>c)],computing:n.computing.map(({during:c})=>c),talk:[]},d=t.map(c=>{if(c===n)return[];let m=i(c)?c.holds:[],p=n.awaiting.flatMap(({until:y,thread:b})=>je(y,c.computing.filter(x=>b===void 0||x.thread===b).map(({during:x})=>x)));return[...m,...p]}),a=d.map(()=>0),u=Xt(r,s).map(c=>{let{doing:m,fromUs:p,toUs:y}=c;if(!Yt.includes(m))return c;let b=d.map(g=>Jt(je([p,y],g)));for(let[g,k]of b.entries())a[g]=a[g]+k;let x=b.map((g,k)=>({place:k,us:g})).filter(({us:g})=>g>=ne);return{...c,waitedFor:x.sort((g,k)=>k.us-g.us)}}),l=Math.max(...a),h=l>=ne;return{stretches:u,waitedUs:h?l:0,waitedFor:h?a.indexOf(l):void 0}}function Ue(r,e){return r.map(([t,n])=>{let i=e.find(({during:[s,d]})=>s<n&&t<d),o=Math.max(t,i?.during[0]??n);return{until:[t,o],thread:i?.thread}})}function jt(r,e){let t=r.find(y=>y.type==="begun"&&y.peer===e.peer),n=t?.type==="begun"?t.connection:void 0,i=r.filter(y=>"connection"in y&&y.connection===n),o=i.find(y=>y.type==="served"),s=i.find(y=>y.type==="over"),d=o?.type==="served"?o.thread:void 0,a=i.filter(y=>y.type==="span"),u=y=>a.filter(b=>b.name===y).map(({at:b,to:x})=>[b,x]),l=r.some(y=>y.type==="thread"&&y.thread===d&&y.loop===!0),h=t?.at??e.toUs,c=o?.at??h,m=l?u("turn"):[],p=a.filter(({name:y})=>y==="computing").map(({at:y,to:b,thread:x})=>({during:[y,b],thread:x}));return{begunUs:h,servedUs:c,thread:d,computing:p,awaiting:Ue(u("waiting for computing"),p),busy:m,holds:l?m:[[c,s?.at??e.toUs]]}}function Xt({fromUs:r,toUs:e},t){let n=Object.values(t).flat(2).filter(s=>s>r&&s<e),i=[...new Set([r,...n,e])].sort((s,d)=>s-d),o=[];for(let s=1;s<i.length;s++){let[d,a]=[i[s-1],i[s]],u=(d+a)/2,l=Gt.find(c=>t[c].some(([m,p])=>m<=u&&u<p))??"talk",h=o.at(-1);h?.doing===l?o[o.length-1]={...h,toUs:a}:o.push({doing:l,waitedFor:[],fromUs:d,toUs:a})}return o}function je([r,e],t){return t.map(([n,i])=>[Math.max(n,r),Math.min(i,e)]).filter(([n,i])=>n<i)}function Jt(r){let[e,t]=[0,-1/0];for(let[n,i]of r.toSorted(([o],[s])=>o-s))e+=Math.max(0,i-Math.max(n,t)),t=Math.max(t,i);return e}var ie=\`
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
.scroll { overflow-x: auto; }
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
.picture th, .picture td { overflow-wrap: break-word; }
.picture.connections td:nth-child(2) { overflow-wrap: anywhere; }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}
\`,Xe=\`
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
\`,Je=\`
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
.accept > p, .handover > p { overflow: hidden; white-space: nowrap; text-overflow: ellipsis; }
.accept > p.parts { white-space: pre; }
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
\`,Ze=\`
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
.followed ol {
  position: relative;
  margin: 0.3rem 0 0;
  padding: 0;
  list-style: none;
  max-height: 20rem;
  overflow: auto;
  background:
    linear-gradient(var(--figure-ground), var(--figure-ground)) top / 100% 8px local no-repeat,
    linear-gradient(var(--figure-ground), var(--figure-ground)) bottom / 100% 8px local no-repeat,
    linear-gradient(var(--figure-line), transparent) top / 100% 8px no-repeat,
    linear-gradient(transparent, var(--figure-line)) bottom / 100% 8px no-repeat;
}
.followed li { display: flex; gap: 0.75rem; padding: 0.1rem 0; color: var(--figure-faint); }
.followed li.past { color: inherit; }
.followed time { flex: none; min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 480px) {
  .frame { padding: 0.75rem; border-radius: 12px; }
  .time { flex-basis: 100%; }
  .time output { min-width: 0; }
  .picture { font-size: 0.9em; }
  .picture th, .picture td { padding-right: 0.4rem; }
  .picture button.small { white-space: normal; text-align: left; }
}
\`;var oe=class extends j{static observedAttributes=["src","data-title","names"];#t=[];#e=[];#i;#n;#o=new A;get lines(){return this.#t}set lines(e){this.#t=e,this.draw()}get names(){return this.#e}set names(e){this.#e=e,this.draw()}connectedCallback(){this.#n===void 0&&this.#a(),this.draw()}disconnectedCallback(){this.#o.stop()}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#o.load(n,i=>this.lines=i,i=>this.#n?.replaceChildren(f("p",{class:"note",text:i}))),e==="names"&&(this.names=J(n)),e==="data-title"&&this.draw()}draw(){if(this.#n===void 0||this.#i===void 0)return;let e=this.getAttribute("data-title")??"";w(this.#i,e),this.#i.parentElement.hidden=e==="",this.drawIn(this.#n)}#a(){let{style:e,label:t,bodyClass:n,legend:i}=this.frame,o=this.attachShadow({mode:"open"});P(o,O,ie,e),this.#i=f("h2"),this.#n=f("div",n===void 0?{}:{class:n});let s=f("div",{class:"head",children:[this.#i]});o.append(f("div",{class:"frame",attributes:{role:"group","aria-label":t},children:[s,this.#n,...i===void 0?[]:[i()]]}))}};var Zt=24,en=5,et={accept:"accept",queue:"queue",thread:"held",computing:"computing",talk:"reading"},tn=\`
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
\`,re=class extends oe{frame={style:tn,label:"Who waited for whom",bodyClass:"rows-and-scale",legend:an};#t;get visits(){return this.#t}set visits(e){this.#t=e,this.draw()}drawIn(e){let t=ee(this.lines).filter(m=>m.type!=="recording"),n=this.#t??Ee(t);if(n.length===0){this.lines.length>0&&e.replaceChildren(f("p",{class:"note",text:"No client has come."}));return}let i=n.slice(0,Zt),o=Se(t,i),s=Math.min(...i.map(({fromUs:m})=>m)),d=Math.max(s+1,...i.map(({toUs:m})=>m)),a=m=>this.names[m]??\`client \${m+1}\`,u=t.find(({type:m})=>m==="closing")?.at??1/0,l=u<d?u:void 0,h=i.map((m,p)=>nn(m,o[p],{name:a,index:p,fromUs:s,lengthUs:d-s,toldUs:l})),c=[f("ul",{class:"rows",children:h}),rn(d-s)];if(l!==void 0){let m=\`The upright line is when the server was told to close, after \${v(l-s)}.\`;c.push(f("p",{class:"note",text:m}))}if(n.length>i.length){let m=\`\${n.length-i.length} more clients are not drawn.\`;c.push(f("p",{class:"note",text:m}))}e.replaceChildren(...c)}};function nn({fromUs:r,toUs:e},t,n){let i=f("span",{class:"told"});i.hidden=n.toldUs===void 0,i.style.left=\`\${((n.toldUs??0)-n.fromUs)/n.lengthUs*100}%\`;let o=f("div",{class:"bar",attributes:{"aria-hidden":"true"},children:[...t.stretches.map(s=>{let d=f("span",{class:tt(s.doing)});return d.style.left=\`\${(s.fromUs-n.fromUs)/n.lengthUs*100}%\`,d.style.width=\`\${(s.toUs-s.fromUs)/n.lengthUs*100}%\`,d.title=\`\${Me[s.doing]}: \${v(s.toUs-s.fromUs)}\`,d}),i]});return f("li",{class:"client",children:[f("span",{class:"name",text:n.name(n.index)}),o,f("span",{class:"length",text:v(e-r)}),f("span",{class:"waited",text:on(t,n.name)})]})}function on({stretches:r,waitedFor:e,waitedUs:t},n){let i=r.reduce((d,{doing:a,fromUs:u,toUs:l})=>d+(a==="computing"?l-u:0),0),o=i>=1?\`the server computed \${v(i)} for it\`:"";return[e===void 0?"waited for nobody":\`waited \${v(t)} for \${n(e)}\`,o].filter(d=>d!=="").join("; ")}function tt(r){return\`part \${r==="computing"?"busy":r==="talk"?"talk":"wait"} of-\${et[r]}\`}function rn(r){let e=r/en,t=10**Math.floor(Math.log10(e)),n=[1,2,5,10].map(o=>o*t).find(o=>o>=e)??e,i=[];for(let o=0;o<=r;o+=n){let s=f("span",{text:o===0?"0":sn(o)});s.style.left=\`\${o/r*100}%\`,i.push(s)}return f("div",{class:"scale",attributes:{"aria-hidden":"true"},children:i})}function sn(r){return v(r).replace(/\\.0+(?= )/,"").replace(/(\\.\\d*?)0+(?= )/,"$1")}function an(){return f("ul",{class:"legend",attributes:{"aria-label":"What the bars mean"},children:Object.keys(et).map(r=>f("li",{children:[f("span",{class:"swatch",attributes:{"aria-hidden":"true"},children:[dn(r)]}),f("span",{class:"words",text:Me[r]})]}))})}function dn(r){let e=f("span",{class:tt(r)});return e.style.left="0",e.style.width="100%",e}X("client-timeline",re);function nt(){let r=(c,m,p="")=>f("button",{class:p,text:c,attributes:{type:"button",...m!==void 0&&{"aria-label":m,title:m}}}),e=r("Play",void 0,"main"),t=r("Go live"),n=r("−","Slower (-)","small"),i=r("+","Faster (+)","small"),o=f("output",{attributes:{"aria-label":"Speed"}}),s=r("◂ Step","Step back to what happened before (,)"),d=r("Step ▸","Step on to what happens next (.)"),a=f("input",{attributes:{type:"range",min:"0",max:"1000",step:"1","aria-label":"Moment"}}),u=f("output"),l=f("input",{attributes:{type:"number",min:"1",step:"1",inputmode:"numeric",placeholder:"nobody"}});return{root:f("div",{class:"controls",attributes:{role:"group","aria-label":"Playing"},children:[e,t,s,d,f("span",{class:"speed",children:[n,o,i]}),f("span",{class:"time",children:[a,u]}),f("label",{children:[f("span",{text:"Follow #"}),l]})]}),play:e,live:t,slower:n,faster:i,speed:o,back:s,step:d,time:a,moment:u,follow:l}}function it(){return f("ul",{class:"legend",attributes:{"aria-label":"What the dots mean"},children:S.filter(({look:r})=>r!=="ended").map(({look:r,shape:e,words:t})=>f("li",{children:[f("span",{class:\`sign \${e} of-\${r}\`,attributes:{"aria-hidden":"true"}}),f("span",{class:"words",text:t})]}))})}function D(r,e,t){let[n,i]=[0,r.length];for(;n<i;){let o=n+i>>1;e(r[o])<=t?n=o+1:i=o}return n}function Oe(r,e,t){let n=e(t),i=r.at(-1);if(i===void 0||e(i)<=n)return r.push(t)-1;let o=D(r,e,n);return r.splice(o,0,t),o}var N=({at:r})=>r,ot=r=>r,U=class{#t;#e=[];#i=[];#n=0;constructor(e=()=>1){this.#t=e}get all(){return this.#e}add(e){let t=Oe(this.#e,N,e),n=t-1,i=n<0?this.#n:this.#i[n]+this.#t(this.#e[n]);this.#i.splice(t,0,i);for(let o=t;o<this.#e.length;o++)this.#i[o]=i,i+=this.#t(this.#e[o])}find(e){let t=this.#e[D(this.#e,N,e)-1];return t!==void 0&&e<t.to?t:void 0}last(e){return this.#e[D(this.#e,N,e)-1]}weightAt(e){let t=D(this.#e,N,e)-1;if(t<0)return this.#n;let n=this.#e[t];return this.#i[t]+(n.to<=e?this.#t(n):0)}forget(e){let t=this.#e.findIndex(({to:o})=>o>=e),n=t<0?this.#e.length:t;if(n===0)return;let i=this.#e[n-1];this.#n=this.#i[n-1]+this.#t(i),this.#e=this.#e.slice(n),this.#i=this.#i.slice(n)}},M=class{#t=[];add(e,t){Oe(this.#t,N,{at:e,value:t})}get all(){return this.#t}countAt(e){return D(this.#t,N,e)}at(e){return this.last(e)?.value}last(e){return this.#t[this.countAt(e)-1]}forget(e){let t=this.countAt(e)-1;t>0&&(this.#t=this.#t.slice(t))}},H=class{#t=[];#e=0;add(e){Oe(this.#t,ot,e)}countAt(e){return this.#e+D(this.#t,ot,e)}forget(e){let t=this.#t.findIndex(i=>i>=e),n=t<0?this.#t.length:t;this.#e+=n,this.#t=this.#t.slice(n)}};function $e({count:r,has:e,mayHaveLeft:t},n){if(r===0)return 0;let[i,o]=[r,0];for(let s of n)e(s)?i--:t(s)&&o++;return Math.max(0,i-o)}function rt({seenUs:r,leftUs:e,goneUs:t},n){return r<=n&&n<Math.min(e,t)}var se=class{#t=new Map;#e=new Map;#i=new M;#n=!1;add(e){if(e.thread!==void 0&&e.cookie!==void 0&&(this.#e.set(e.cookie,{thread:e.thread,toUs:1/0}),e.waiting===void 0))return;let t=e.cookie??e.local,n=this.#t.get(t)??new M;this.#t.set(t,n),n.add(e.at,e),this.#d(e.at)}seesSockets(e){this.#n=!0,this.#d(e)}leaves(e,t){for(let n of this.#e.values())n.thread===e&&(n.toUs=Math.min(n.toUs,t))}sayWhose(e,t){if(t.length===0||this.#e.size===0)return;let n=new Set(this.#o(e).map(([,{thread:a}])=>a)),i=this.#i.last(e)?.at??-1/0,o=this.#a(e),s=t.filter(({seenUs:a})=>a<=i),d=o!==void 0&&s.length<=o.waiting;for(let a of t)a.server!==void 0&&n.has(a.server)?a.queueOf=a.server:d&&a.seenUs<=i&&(a.queueOf=o.thread)}#o(e){return[...this.#e].filter(([,{toUs:t}])=>e<t)}#a(e){let t=this.#o(e),n=t.every(([a])=>this.#t.get(a)?.at(e)!==void 0),i=[...this.#t].filter(([,a])=>(a.at(e)?.waiting??0)>0),[o,s]=i[0]??[],d=t.find(([a])=>a===o)?.[1];if(!(!n||i.length!==1||d===void 0))return{thread:d.thread,waiting:s?.at(e)?.waiting??0}}#r(e,t,n,i,o){let s=this.#o(e);if(s.length<2)return[];let d=Map.groupBy(n,({queueOf:u})=>u),a=s.flatMap(([u,{thread:l}])=>{let h=this.#t.get(u)?.at(e)?.waiting;if(h===void 0)return[];let c=new Set(d.get(l)),m=$e({count:h,has:p=>(c.has(p)||p.server===l)&&rt(p,i),mayHaveLeft:({server:p,takenUs:y})=>p===l&&o<y&&y<=e},t);return[{thread:l,waiting:c.size+m}]});return a.length<s.length?[]:a.sort((u,l)=>u.thread-l.thread)}#s(e){let t=[...this.#t].filter(([n])=>e<(this.#e.get(n)?.toUs??1/0));return(t.length>0?t:[...this.#t]).map(([,n])=>n)}#d(e){this.#i.last(e)?.at!==e&&this.#i.add(e,void 0)}at(e,t,n){let i=n.length,s=[...this.#t.values()].flatMap(p=>p.at(e)?.waiting??[]),d=this.#s(e).flatMap(p=>(p.at(e)??p.all[0]?.value)?.limit??[]),a=d.length===0?void 0:st(d),u=this.#i.countAt(e),l=this.#i.all[u-1]?.at;if(s.length===0||l===void 0)return{waiting:i===0?void 0:i,limit:a,countedUs:void 0};let h=this.#n?this.#i.all[u-2]?.at??-1/0:l,c=$e({count:st(s),has:p=>rt(p,l),mayHaveLeft:({takenUs:p})=>h<p&&p<=e},t),m=this.#r(e,t,n,l,h);return{waiting:i+c,limit:a,countedUs:l,...m.length>0&&{ofThreads:m}}}forget(e){this.#i.forget(e);for(let t of this.#t.values())t.forget(e);for(let[t,{toUs:n}]of this.#e)n<e&&this.#e.delete(t)}};function at(r,{counters:e,counts:t,tracks:n,seen:i}){let o=e.at(r)?.queued,s=t.countAt(r),d=t.all[s-1]?.at,a=t.all[s-2]?.at??-1/0;if(o===void 0||d===void 0)return{waiting:i,limit:void 0,countedUs:void 0};let u=$e({count:o,has:({waiting:l})=>l!==void 0&&l.at<=d&&d<l.to,mayHaveLeft:({servedUs:l})=>a<l&&l<=r},n);return{waiting:i+u,limit:void 0,countedUs:d}}function _({waiting:r,limit:e}){return r===void 0?"not known":e===void 0?String(r):\`\${r} of \${e}\`}function st(r){return r.reduce((e,t)=>e+t,0)}var dt=100;function Ce({place:r,thread:e,queueOf:t},{threads:n}){if(t!==void 0){let i=n.find(({number:o})=>o===t);return i===void 0?r:\`\${r} of \${i.name}\`}return r!=="thread"?r:n.find(({number:i})=>i===e)?.name??"a thread"}function Ie({connection:r,place:e},t){return r!==void 0?t(r):e==="accept queue"?"not accepted yet":e==="ended"?"no number":"accepted, no number yet"}function Re(r,e){let t=S.find(({look:s})=>s===R(r))?.words??r.doing,{task:n,waitsFor:i}=r,o=r.doing==="computing"&&n!==void 0?\` \${n}\`:"";return\`\${t}\${o}\${i===void 0?"":\`, for \${e(i)}\`}\`}function Pe({acceptQueue:r,threads:e,dots:t}){return(r.ofThreads??[]).map(({thread:n,waiting:i})=>({thread:n,name:e.find(({number:o})=>o===n)?.name??"a thread",waiting:i,waitsFor:t.find(o=>o.place==="accept queue"&&o.queueOf===n)?.waitsFor}))}function ct({name:r,waiting:e,waitsFor:t},n){return\`\${r}: \${e}\${t===void 0?"":\`, for \${n(t)}\`}\`}function ln({name:r,waiting:e,waitsFor:t},n){return e===0?"nobody waits":\`wait for \${r}\${t===void 0?"":\`, which serves \${n(t)}\`}\`}var ae=class{root;#t;#e=new de;#i;#n=f("p");constructor(e,{onOpen:t,onFollow:n}){this.#t=e,this.#i=new de(s=>{let d=this.#o.find(a=>a.id===s);d!==void 0&&n(d)});let i=["Where","Connections","What happens there"],o=["Connection","From","Where","What it does","Since"];this.root=f("details",{children:[f("summary",{text:"The same as a table"}),f("div",{class:"scroll",attributes:{tabindex:"0",role:"group","aria-label":"The picture as a table"},children:[ut("places","Where connections are",i,this.#e.body),ut("connections","Connections",o,this.#i.body),this.#n]})]}),this.root.addEventListener("toggle",t)}show(e){if(!this.root.open)return;let t=this.#a(e).slice(0,dt);this.#e.fill(new Map(t.map(s=>[s[0],s])));let{dots:n,us:i}=e;this.#o=n.slice(0,dt),this.#i.fill(new Map(this.#o.map(s=>[s.id,[Ie(s,this.#t),s.peer,Ce(s,e),Re(s,this.#t),v(Math.max(0,i-s.sinceUs))]])));let o=n.length-this.#o.length;w(this.#n,o>0?\`and \${o} more\`:"")}#o=[];#a(e){let{threads:t,acceptQueue:n,hasHandOver:i,handOverQueue:o,totals:s}=e;return[["Accept queue",_(n),lt("accept queue",n,e)],...Pe(e).map(d=>[\`Accept queue of \${d.name}\`,String(d.waiting),ln(d,this.#t)]),...i?[["Hand-over queue",_(o),lt("hand-over queue",o,e)]]:[],...t.filter(({kind:d})=>d!=="other").map(d=>[d.name,String(d.dots.length),this.#r(d,e)]),...Object.entries(s.endings).map(([d,a])=>[\`Ended: \${d}\`,String(a),"since the picture began"])]}#r({activity:e,isLoop:t,standsStill:n,turns:i},{us:o}){if(e===void 0)return t?\`waits, after \${i} turns\`:"waits";let{what:s,task:d,connection:a,sinceUs:u}=e,l=a===void 0?"":\` for \${this.#t(a)}\`,h=v(Math.max(0,o-u));return\`\${n?"stands still: ":""}\${s}\${d===void 0?"":\` \${d}\`}\${l}, \${h}\`}};function lt(r,{countedUs:e},{dots:t,us:n}){let i=t.filter(s=>s.place===r).length,o=e===void 0?"not counted":\`as of \${v(n-e)} ago\`;return\`\${i} seen there, \${o}\`}function ut(r,e,t,n){let i=t.map(o=>f("th",{text:o,attributes:{scope:"col"}}));return f("table",{class:\`picture \${r}\`,children:[f("caption",{text:e}),f("thead",{children:[f("tr",{children:i})]}),n]})}var de=class{body=f("tbody");#t=new Map;#e;constructor(e){this.#e=e}fill(e){for(let[n,i]of this.#t)e.has(n)||(i.remove(),this.#t.delete(n));let t=this.body.firstElementChild;for(let[n,i]of e){let o=this.#t.get(n)??this.#i(n,i.length);o===t?t=t.nextElementSibling:this.body.insertBefore(o,t),i.forEach((s,d)=>{let a=o.cells[d];w(a.querySelector("button")??a,s)})}}#i(e,t){let n=f("tr",{children:Array.from({length:t},()=>f("td"))}),i=this.#e;if(i!==void 0){let s=f("button",{class:"small",attributes:{type:"button",title:"Follow it"}});s.addEventListener("click",()=>i(e)),n.cells[0]?.append(s)}return this.#t.set(e,n),n}};var un=200,le=class{root;#t;#e=f("p");#i=f("ol",{attributes:{tabindex:"0","aria-label":"What has happened to it"}});#n;#o;#a="";#r="";constructor(e){this.#t=e,this.root=f("div",{class:"followed",children:[this.#e,this.#i]}),this.root.hidden=!0}get connection(){return this.#n}get isSomebody(){return this.#n!==void 0||this.#o!==void 0}follow({connection:e,id:t}={}){this.#n=e,this.#o=t,this.#a="",this.#r="",this.#i.replaceChildren()}is({connection:e,id:t}){return this.#n===void 0?t===this.#o:e===this.#n}renew(){this.#o=void 0,this.#a=""}show(e,t,n){if(this.root.hidden=!this.isSomebody,!this.isSomebody)return;let i=t.find(this.#n,this.#o);if(i===void 0){let a=this.#n===void 0?"It":this.#t.nameOf(this.#n),u=this.#a===""?"is not known: it has not come yet, or is no longer remembered":"is no longer remembered: it was over long ago";return w(this.#e,\`\${a}\${this.#r} \${u}\`)}this.#n=i.connection,this.#o=i.id;let o=t.lifeOf(i).slice(-un);this.#r=\`, from \${i.peer},\`;let s=e.dots.find(({id:a})=>a===i.id),d=i.connection===void 0?\`A connection (\${s===void 0?"no number":Ie(s,this.#t.nameOf)})\`:this.#t.nameOf(i.connection);w(this.#e,\`\${d}\${this.#r} \${this.#s(s,e,o)}\`),this.#d(i,e,n,o)}#s(e,t,n){if(e!==void 0){let o=\`\${e.place==="thread"?"is served by":"is here:"} \${Ce(e,t)}\`,s=v(Math.max(0,t.us-e.sinceUs));return\`\${o}: \${Re(e,this.#t.nameOf)} · \${s}\`}return n.some(({us:o})=>o<=t.us)?"is in the picture no more":"is not there yet"}#d({id:e},t,n,i){let o=i.filter(({us:d})=>d<=t.us+.5).length,s=\`\${e} \${i.length} \${o} \${i.at(-1)?.us}\`;s!==this.#a&&(this.#a=s,this.#i.replaceChildren(...i.map((d,a)=>f("li",{class:a<o?"past":"",children:[f("time",{text:v(Math.max(0,d.us-n))}),f("span",{text:this.#t.named(d)})]}))),this.#h(this.#i.children[o-1]))}#h(e){let t=this.#i;if(t.matches(":hover, :focus"))return;let n=(e?.offsetTop??0)+(e?.offsetHeight??0);t.scrollTop=Math.max(0,n-t.clientHeight)}};var q=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10],ue=class{us=0;speed=1;isPlaying=!1;isLive=!1;#t={fromUs:0,toUs:0};#e;get range(){return this.#t}set range(e){this.#t=e,this.isLive||(this.us=this.#i(this.us))}get isAtEnd(){return this.us>=this.#t.toUs}play(){this.isAtEnd&&!this.isLive&&(this.us=this.#t.fromUs),this.isPlaying=!0}pause(){this.isPlaying=!1,this.isLive=!1}seek(e){this.isLive=!1,this.us=this.#i(e)}goLive(){this.isLive=!0,this.isPlaying=!0,this.speed=1}changeSpeed(e){let t=e>0?q.find(n=>n>this.speed):q.findLast(n=>n<this.speed);t!==void 0&&this.setSpeed(t)}setSpeed(e){this.speed=e,e!==1&&(this.isLive=!1)}advance(e,t){let n=this.#e===void 0?0:e-this.#e;if(this.#e=e,this.isLive&&t!==void 0){this.us=t;return}if(!this.isPlaying){this.us=this.#i(this.us);return}this.us=this.#i(this.us+n*1e3*this.speed),this.isAtEnd&&t===void 0&&(this.isPlaying=!1)}#i(e){return Math.max(this.#t.fromUs,Math.min(this.#t.toUs,e))}},cn=3e5,hn=1e-4,F=class{#t=-1/0;#e=0;hear(e,t){let n=this.#t-(t-this.#e)*1e3*hn;this.#t=Math.max(n,e-t*1e3),this.#e=t}at(e){return this.#t===-1/0?void 0:e*1e3+this.#t-cn}};function Ae(r,e){let t=[],{connection:n,peer:i,accepting:o,takenUs:s}=r,d=n===void 0?r.inQueue:r.queued,a=n===void 0?i:\`#\${n}\`,u=(c,m)=>t.push({us:c,text:m,connection:n});o!==void 0&&u(o.at,\`\${a} is in the accept queue\`);let l=Math.min(r.begunUs,n===void 0?s:1/0);l<1/0&&u(l,\`\${a} is accepted\`),d!==void 0&&u(d.at,\`\${a} waits in the hand-over queue\`),r.servedUs<1/0&&u(r.servedUs,\`\${e(r.server)} begins to serve \${a}\`);for(let{at:c,to:m,task:p,thread:y}of r.computing?.all??[]){let b=p===void 0?"":\` \${p}\`;u(c,\`\${e(y)} begins to compute\${b} for \${a}\`),u(m,\`\${e(y)} has computed\${b} for \${a}\`)}for(let{at:c,to:m}of r.awaiting?.all??[])u(c,\`\${a} waits while another thread computes\`),u(m,\`\${a} has the result\`);for(let{at:c,to:m}of r.writing?.all??[])u(c,\`\${a} waits for its peer to take what was sent\`),u(m,\`the peer of \${a} has taken it\`);if(r.over!==void 0){let{outcome:c,failure:m}=r.over,p=m===void 0?"":\`, \${m}\`,y=c==="unknown"?": how was left out":\`: \${c}\${p}\`;u(r.overUs,\`the conversation of \${a} is over\${y}\`)}let h=r.endUs(!0);return h<1/0&&r.endedWith!==void 0&&u(h,\`\${a} has ended with \${r.endedWith}\`),t}var ce=class{number;name;isLoop=!1;presence=new M;computing=new U;writing=new U;turns=new U(({count:e})=>e??1);open;constructor(e,t){this.number=e,this.name=t}get kind(){return this.isLoop?"serves":this.name.startsWith("acceptor")?"accepts":this.name.startsWith("computing")?"computes":/^(worker|process|loop|child)/.test(this.name)?"serves":"other"}activityAt(e){let[t,n]=[this.computing.find(e),this.writing.find(e)];if(t!==void 0)return B("computing",t);if(n!==void 0)return B("writing",n);let{open:i}=this;if(i!==void 0&&i.at<=e&&e<i.to){if(i.what==="computing"||i.what==="writing")return B(i.what,i);if(i.what==="turn")return B("turn",i)}let o=this.turns.find(e);return o&&B("turn",o)}forget(e){this.presence.forget(e),this.computing.forget(e),this.writing.forget(e),this.turns.forget(e)}};function B(r,{at:e,connection:t,task:n}){return{what:r,connection:t,task:n,sinceUs:e}}var fn=1e3;function ht(r,e,t){let n=r.activityAt(e),i=r.isLoop&&n!==void 0&&(n.what==="computing"||e-n.sinceUs>=fn);if(i)for(let o of t)o.doing==="reading"&&(o.sinceUs=Math.max(o.sinceUs,n.sinceUs),o.connection===n.connection?(o.doing="computing",o.task=n.task):(o.doing="waiting for the loop",o.waitsFor=n.connection));return{number:r.number,name:r.name,isLoop:r.isLoop,kind:r.kind,activity:n,standsStill:i,turns:r.turns.weightAt(e),lastTurn:r.turns.last(e)?.connection,dots:t}}var mn=2e6,he=class{id;peer;connection;isOwn=!1;place="taken";thread;doing="waiting";task;sinceUs=0;waitsFor;queueOf;ending;outcome;failure;seenUs=1/0;leftUs=1/0;begunUs=1/0;queued;inQueue;servedUs=1/0;server;overUs=1/0;goneUs=1/0;endedWith;isLeftOut=!1;over;computing;awaiting;writing;open;constructor(e,t){this.id=e,this.peer=t}add(e,t){(this[e]??=new U).add(t)}forget(e){this.computing?.forget(e),this.awaiting?.forget(e),this.writing?.forget(e)}get fromUs(){return Math.min(this.seenUs,this.takenUs)}get doneUs(){return this.begunUs<1/0?this.overUs:Math.min(this.goneUs,this.inQueue?.to??this.leftUs)}get takenUs(){return Math.min(this.begunUs,this.inQueue?.at??1/0)}get waiting(){let{begunUs:e,queued:t,servedUs:n}=this;return t!==void 0?t:e===1/0?this.inQueue:n<1/0?void 0:{at:e,to:this.overUs}}get accepting(){let e=Math.min(this.leftUs,this.takenUs,this.goneUs);return this.seenUs<e?{at:this.seenUs,to:e}:void 0}hasEnded(e,t){let n=this.begunUs===1/0?this.goneUs:this.overUs;return e>=n&&e>=this.endUs(t)}endUs(e){if(this.begunUs===1/0)return this.goneUs;if(this.overUs===1/0)return 1/0;if(this.goneUs<1/0){let t=e&&this.endedWith===void 0&&!this.isLeftOut;return Math.max(this.overUs,this.goneUs+(t?mn:0))}return e&&this.over?.outcome!=="unknown"?1/0:this.overUs}look(e,t){this.waitsFor=void 0,this.queueOf=void 0,this.task=void 0,this.doing="waiting";let n=this.hasEnded(e,t),i=e>=this.overUs||n;this.thread=e>=this.servedUs?this.server:void 0,this.outcome=i?this.over?.outcome:void 0,this.failure=i?this.over?.failure:void 0,this.ending=n?this.endedWith??"unknown":void 0,n?this.#t("ended",this.endUs(t)):e>=this.overUs?this.#t("closing",this.overUs):e>=this.servedUs?this.#i(e):e>=this.begunUs?this.#e(e):this.inQueue!==void 0&&e>=this.inQueue.at?this.#t(e<this.inQueue.to?"hand-over queue":"taken",this.inQueue.at):e<this.leftUs?this.#t("accept queue",this.seenUs):this.#t("taken",this.leftUs)}#t(e,t){this.place=e,this.sinceUs=t}#e(e){let{waiting:t}=this,n=t!==void 0&&t.at<=e&&e<t.to;this.#t(n?"hand-over queue":"taken",t?.at??this.begunUs)}#i(e){let{open:t}=this;this.#t("thread",this.servedUs);let n=this.computing?.find(e)??Ne(t,"computing",e),i=this.awaiting?.find(e)??Ne(t,"waiting for computing",e);if(n!==void 0&&n.thread===this.server)return this.#n("computing",n);let o=i??n;if(o!==void 0)return this.#n("waiting for computing",o);let s=this.writing?.find(e)??Ne(t,"writing",e);if(s!==void 0)return this.#n("writing",s);this.doing="reading",this.sinceUs=Math.max(this.servedUs,this.computing?.last(e)?.to??0,this.awaiting?.last(e)?.to??0,this.writing?.last(e)?.to??0)}#n(e,{at:t,task:n}){this.doing=e,this.task=n,this.sinceUs=t}};function Ne(r,e,t){return r?.what===e&&r.at<=t&&t<r.to?r:void 0}var fe=class{#t=[];#e=[];#i=!0;#n=[];#o=0;#a=-1/0;#r=0;get all(){return this.#s(),this.#t}add(e){this.#e.push(e)}comes({fromUs:e},t){t<1/0&&e<t&&(this.#i=!1)}lookAnew(){this.#a=1/0}keep(e){this.#s(),this.#t=this.#t.filter(e),this.lookAnew()}presentAt(e,t,n){this.#s();let i=e>=this.#a&&t===this.#r;i||(this.#n=[],this.#o=0);let o=s=>s.hasEnded(e-t,n);for(i&&this.#n.some(o)&&(this.#n=this.#n.filter(s=>!o(s)));this.#o<this.#t.length;this.#o++){let s=this.#t[this.#o];if(s.fromUs>e)break;o(s)||this.#n.push(s)}return this.#a=e,this.#r=t,this.#n}#s(){let e=this.#e;if(!(this.#i&&e.length===0)){if(this.#e=[],this.#i&&e.length<=256){for(let t of e)this.#d(t);return}for(let t of e)this.#t.push(t);this.#t.sort((t,n)=>t.fromUs-n.fromUs),this.#i=!0,this.lookAnew()}}#d(e){let t=this.#t,{fromUs:n}=e,i=t.length;for(;i>0&&t[i-1].fromUs>n;)i--;i===t.length?t.push(e):t.splice(i,0,e),!(i>=this.#o)&&(this.#o++,this.#n.push(e))}};var pn=3,gn=.9;function ft(r,e,t,n){let{connection:i,fromUs:o,servedUs:s,overUs:d}=r;if(i===void 0||s===1/0)return[];let a={fromUs:o,toUs:Math.min(d,n)},u=e.filter(b=>b!==r&&b.servedUs<a.toUs&&b.overUs>o),l=t.get(r.server??0),h=l?.isLoop===!0?wn(l,a):void 0,c=[r,...u],m=c.map(b=>vn(b,h,n)),{stretches:p}=Le(a,0,m),y=({toUs:b})=>b<a.toUs||d<=n;return p.filter(y).flatMap(b=>{let x=yn(b,m[0]),{doing:g,fromUs:k,toUs:L,waitedFor:V}=b,z=L-k>=ne&&(g!=="thread"||V.length>0);if(x===void 0||!z)return[];let Ct=bn(V,L-k,Rt=>c[Rt]?.connection),It=\`#\${i} waited \${v(L-k)}\${Ct} \${x}\`;return[{us:L,text:It,connection:i}]})}function yn({doing:r,fromUs:e,toUs:t},{awaiting:n}){switch(r){case"accept":return"in the accept queue";case"queue":return"in the hand-over queue";case"thread":return n.some(({until:[i,o]})=>i<t&&e<o)?"until a thread could compute for it":"until its loop was free";default:return}}function bn(r,e,t){let[n]=r;if(n===void 0)return"";if(n.us>=e*gn)return\` for #\${t(n.place)}\`;let i=r.slice(0,pn).map(({place:o,us:s},d)=>\`\${v(s)}\${d===0?" of it":""} for #\${t(o)}\`);return\`, \${i.join(", ")}\${r.length>i.length?" and more for others":""},\`}function wn({turns:r,computing:e,open:t},{fromUs:n,toUs:i}){let o=new Map,s=t===void 0?[]:[{...t,to:Math.min(t.to,i)}];for(let{connection:d,at:a,to:u}of[...r.all,...e.all,...s]){if(d===void 0||u<=n||i<=a)continue;let l=o.get(d);l===void 0?o.set(d,[[a,u]]):l.push([a,u])}return o}function vn({connection:r=0,takenUs:e,servedUs:t,overUs:n,server:i,computing:o,awaiting:s},d,a){let u=(o?.all??[]).map(({at:c,to:m,thread:p})=>({during:[c,m],thread:p})),l=(s?.all??[]).map(({at:c,to:m})=>[c,m]),h=d?.get(r)??[];return{begunUs:e,servedUs:t,thread:i,computing:u,awaiting:Ue(l,u),busy:h,holds:d===void 0?[[t,Math.min(n,a)]]:h}}var xn=7e5,kn=.1,Tn=["done","cut","empty","failed","unknown"],Mn=["FIN","RST","unknown"],yt={fin:"FIN",reset:"RST",unknown:"unknown"},C=class{header;isFinished=!1;#t;#e=new Map;#i=new se;#n=new fe;#o=new Map;#a=new Map;#r=new Map;#s=new Map;#d=new H;#h=new Map(Tn.map(e=>[e,new H]));#l=new Map(Mn.map(e=>[e,new H]));#u=new M;#x;#m=new M;#y=new M;#b=new Map;#p=!1;#k=!1;#L=0;#c=1/0;#w=0;#g=1/0;#U=0;#I;#S;constructor({keepUs:e=1/0}={}){this.#t=e}get fromUs(){return Math.max(this.#c===1/0?0:this.#c,this.#U)}get toUs(){return this.#w}get firstUs(){let e=this.#n.all[0]?.fromUs??1/0;return e===1/0?void 0:e}get figures(){return this.#m.all.map(({value:e})=>e)}get dots(){return this.#n.all}add(e){for(let n of e)this.#E(n);this.#I=this.#S=void 0;let t=this.#w-this.#t;t-this.#U>this.#t*kn&&this.#V(t)}at(e,t=0){let n=this.#n.presentAt(e,t,this.#p),i=new Map,o=[],s=0;for(let c of n){if(c.look(e,this.#p),c.place==="accept queue"&&o.push(c),c.place==="hand-over queue"&&s++,c.place!=="thread"||c.server===void 0)continue;let m=i.get(c.server);m===void 0?i.set(c.server,[c]):m.push(c)}let d=[];for(let c of this.#e.values()){let m=i.get(c.number)??[];c.presence.at(e)!==!0&&m.length===0||d.push(ht(c,e,m))}this.#i.sayWhose(e,o),En(n,d);let a=this.#u.at(e),u=this.#n.all,l=new Map([...this.#b].map(([c,m])=>[c,m.at(e)??0])),h=gt(this.#h,e);return{us:e,dots:n,threads:d.sort((c,m)=>c.number-m.number),acceptQueue:this.#i.at(e,u,o),hasHandOver:this.#R||d.some(({kind:c})=>c==="accepts"),handOverQueue:at(e,{counters:this.#u,counts:this.#M(e),tracks:u,seen:s}),totals:{begun:this.#d.countAt(e),outcomes:h,endings:this.#_(e,h,l,n)},areEndsTold:this.#p,hasUnknownEnds:this.#O,counters:a,figures:this.#m.at(e),leftOut:l,isPartial:e-(this.#b.get("connections")?.last(e)?.at??-1/0)<xn,isClosing:e>=this.#g,note:this.#y.at(e)}}countersAt(e){let t=this.#u.at(e),n=this.#M(e).last(e)?.at;return t===void 0||n===void 0?void 0:{at:n,value:t}}#M(e){return this.#m.countAt(e)>0?this.#m:this.#u}get#R(){return this.#k||this.#x?.queued!==void 0}get#O(){return!this.#p||this.#t<1/0||(this.#l.get("unknown")?.countAt(1/0)??0)>0||[...this.#b.keys()].some(e=>e!=="spans")}#_(e,t,n,i){let o=gt(this.#l,e),d=![...n].some(([l,h])=>l!=="spans"&&h>0)?0:this.#$(this.#u.at(e),o,i),a=Object.values(t).reduce((l,h)=>l+h,0),u=this.#p?d:Math.max(d,a);return{...o,unknown:o.unknown+u}}#$(e,t,n){let i=this.#x;if(e===void 0||i===void 0)return 0;let o=({accepted:a=0,live:u=0})=>a-u,s=t.FIN+t.RST+t.unknown,d=n.reduce((a,{place:u})=>a+(u==="closing"?1:0),0);return Math.max(0,o(e)-o(i)-s-d)}find(e,t){return e!==void 0?this.#o.get(e):this.#n.all.find(n=>n.id===t)}lifeOf(e){let t=e;if(this.#S?.track!==t){let n=ft(t,this.#n.all,this.#e,this.#w),i=mt([...Ae(t,this.#A),...n]);this.#S={track:t,happenings:i}}return this.#S.happenings}happenings(){return this.#I??=mt([...this.#n.all.flatMap(e=>Ae(e,this.#A)),...this.#P()])}#P(){let e=this.#g;return this.#n.all.some(({doneUs:n})=>e<n)&&e<1/0?[{us:e,text:"the server is told to close",connection:void 0}]:[]}#A=e=>this.#e.get(e??0)?.name??"a thread";#E(e){if(e.type==="recording"){this.header=e;return}switch(this.#c=Math.min(this.#c,e.at),this.#w=Math.max(this.#w,e.at,"to"in e&&e.type==="span"?e.to:0),e.type){case"thread":return this.#N(e);case"begun":return this.#C(e);case"queued":{this.#k=!0;let t=this.#o.get(e.connection);t!==void 0&&(t.queued=e);return}case"served":{let t=this.#o.get(e.connection);if(t===void 0)return;t.servedUs=e.at,t.server=e.thread;return}case"over":{this.#h.get(e.outcome)?.add(e.at);let t=this.#o.get(e.connection);if(t===void 0)return;t.overUs=e.at,t.over={outcome:e.outcome,failure:e.failure},t.open=void 0;return}case"span":return this.#D(e);case"doing":return this.#T(e);case"socket":return this.#B(e);case"connection":return this.#Q(e);case"listener":return e.cookie!==void 0&&this.#q(),this.#i.add(e);case"counters":this.#x??=e.values,this.#u.add(e.at,e.values);return;case"figures":this.#m.add(e.at,e);return;case"closing":this.#g=Math.min(this.#g,e.at);return;case"note":this.#y.add(e.at,e.text);return;case"left_out":{let t=this.#b.get(e.what)??new M;this.#b.set(e.what,t),t.add(e.at,(t.at(e.at)??0)+e.count),e.what!=="spans"&&this.#H(e.at);return}case"end":this.isFinished=!0}}#N({thread:e,name:t,loop:n,gone:i,at:o}){let s=this.#e.get(e)??new ce(e,String(t));this.#e.set(e,s),s.name=String(t),s.isLoop||=n===!0,s.presence.add(o,i!==!0),i===!0&&(s.open=void 0,this.#i.leaves(e,o))}#C(e){let{at:t,connection:n,peer:i,cookie:o,connected:s=1/0,by:d}=e;this.#d.add(t);let u=(o===void 0?void 0:this.#r.get(o))??this.#a.get(i),h=u!==void 0&&u.connection===void 0&&t<u.goneUs?u:this.#v(i);h.goneUs<1/0&&this.#n.lookAnew();let{fromUs:c}=h;h.connection=n,h.begunUs=t,h.seenUs=Math.min(h.seenUs,s),this.#n.comes(h,c),h.isOwn=d==="page",this.#o.set(n,h),o!==void 0&&this.#r.set(o,h);let m=this.#s.get(i);m!==void 0&&(this.#s.delete(i),m.at>=t&&pt(h,m))}#v(e){let t=new he(++this.#L,String(e));return this.#n.add(t),this.#a.set(e,t),t}#D(e){let{name:t,at:n,to:i,thread:o,task:s}=e,d=o===void 0?void 0:this.#e.get(o);d?.open!==void 0&&d.open.at<i&&(d.open=void 0);let a=e.connection===void 0?void 0:this.#o.get(e.connection);a?.open!==void 0&&a.open.at<i&&(a.open=void 0);let u={at:n,to:i,thread:o,task:s};switch(t){case"computing":d?.computing.add(e),a?.add("computing",u);return;case"waiting for computing":a?.add("awaiting",u);return;case"writing":d?.writing.add(e),a?.add("writing",u);return;case"turn":case"turns":d?.turns.add(e)}}#T(e){let{at:t,thread:n,connection:i,peer:o,what:s,task:d}=e;if(o!==void 0)return this.#f(o,t,s!==void 0);let a=n===void 0?void 0:this.#e.get(n);if(s===void 0){let l=a===void 0?i:a.open?.connection;a?.open!==void 0&&(a.open={...a.open,to:t});let h=this.#o.get(l??0);h?.open!==void 0&&(h.open={...h.open,to:t});return}a!==void 0&&(a.open={...e,to:1/0});let u=this.#o.get(i??0);u!==void 0&&(u.open={at:t,to:1/0,thread:n,task:d,what:s})}#f(e,t,n){this.#k=!0;let i=this.#F(e,t);if(n){let o=i?.connection===void 0&&i!==void 0?i:this.#v(e),{fromUs:s}=o;o.inQueue={at:t,to:1/0},this.#n.comes(o,s)}else i?.inQueue!==void 0&&(i.inQueue={...i.inQueue,to:t})}#B({at:e,cookie:t,remote:n,state:i,end:o,waiting:s,connected:d=e}){if(o==="client")return;this.#q();let a=this.#r.get(t)??this.#F(n,e);if(i==="CLOSE"){if(this.#r.delete(t),a===void 0)return;a.goneUs=Math.min(a.goneUs,e),a.leftUs=Math.min(a.leftUs,e);return}if(this.#i.seesSockets(e),s===!0){a??=this.#v(n);let{fromUs:u}=a;a.seenUs=Math.min(a.seenUs,d),this.#n.comes(a,u)}else a!==void 0&&a.seenUs<e&&(a.leftUs=Math.min(a.leftUs,e));a!==void 0&&this.#r.set(t,a)}#q(){this.#p||this.#n.lookAnew(),this.#p=!0}#F(e,t){let n=this.#a.get(e);return n!==void 0&&t<n.goneUs?n:void 0}#Q(e){this.#q(),this.#l.get(yt[e.ended_with]??"unknown")?.add(e.at);let n=(e.cookie===void 0?void 0:this.#r.get(e.cookie))??this.#a.get(e.remote);n!==void 0&&n.endedWith===void 0&&n.fromUs<=e.at?(n.goneUs<e.at&&this.#n.lookAnew(),pt(n,e)):this.#s.set(e.remote,e)}#H(e){let t=new Set(this.#r.values());for(let n of this.#n.all)n.overUs>e||n.endedWith!==void 0||t.has(n)||(n.isLeftOut=!0,n.goneUs===1/0&&(n.goneUs=e))}#V(e){this.#U=e;let t=({doneUs:n})=>n<e;this.#n.keep(n=>t(n)?(n.connection!==void 0&&this.#o.delete(n.connection),this.#a.get(n.peer)===n&&this.#a.delete(n.peer),!1):!0);for(let[n,i]of this.#r)t(i)&&this.#r.delete(n);for(let[n,{at:i}]of this.#s)i<e&&this.#s.delete(n);for(let n of this.#n.all)n.forget(e);for(let[n,i]of this.#e){i.forget(e);let{all:o}=i.presence;o.length===1&&o[0]?.value===!1&&o[0].at<e&&this.#e.delete(n)}this.#i.forget(e);for(let n of[this.#d,...this.#h.values(),...this.#l.values()])n.forget(e);for(let n of[this.#u,this.#m,this.#y,...this.#b.values()])n.forget(e)}};function mt(r){return r.toSorted((e,t)=>e.us-t.us)}function pt(r,{at:e,ended_with:t}){r.goneUs=e,r.endedWith=yt[t]??"unknown"}function gt(r,e){let t=[...r].map(([n,i])=>[n,i.countAt(e)]);return Object.fromEntries(t)}function En(r,e){let t=s=>{let d=e.filter(a=>a.kind===s);return d.length===1?d[0]:void 0},n=s=>s?.isLoop===!0?s.standsStill?s.activity?.connection:void 0:s?.dots[0]?.connection,i=n(t("serves")),o=t("computes")?.activity?.connection;for(let s of r){let{place:d,doing:a,connection:u,queueOf:l}=s;l!==void 0?s.waitsFor=n(e.find(({number:h})=>h===l)):d==="accept queue"||d==="hand-over queue"?s.waitsFor=i:a==="waiting for computing"&&u!==o&&(s.waitsFor=o)}}var Sn=Math.PI*(3-Math.sqrt(5));function wt(r){return r<=30?10:r<=120?7:r<=500?4.5:r<=2e3?3:1.8}function vt({width:r,height:e},t,n){let i=n*2.6,o=Math.min(i,Math.sqrt(r*e/Math.max(1,t)));for(;o>.5&&Math.max(1,Math.floor(r/o))*Math.max(1,Math.floor(e/o))<t;)o*=.97;return o}function xt(r,e,t,n){let i=vt(r,e,t),{x:o,y:s,width:d,height:a}=r;if(n){let l=Math.max(1,Math.floor(d/i));return h=>({x:o+i*(h%l+.5),y:s+a-i*(Math.floor(h/l)+.5)})}let u=Math.max(1,Math.floor(a/i));return l=>({x:o+d-i*(Math.floor(l/u)+.5),y:s+i*(l%u+.5)})}function Q(r,e,t){let n=vt(r,e,t),i=Math.max(1,Math.floor(r.width/n));return o=>({x:r.x+n*(o%i+.5),y:r.y+n*(Math.floor(o/i)+.5)})}function De({x:r,y:e,width:t,height:n},i){let o=Math.max(4,Math.min(t,n)/2-i-3);return{x:r+t/2,y:e+n/2,radius:o}}function kt(r,e,t,n){let i=Math.floor(2*Math.PI*e.radius/(n*2.6)),o=2**Math.floor(Math.log2(Math.max(1,i))),s=t<=o,d=2**Math.ceil(Math.log2(Math.max(1,t)));r.set(\`\${e.x} \${e.y} \${e.radius} \${s?0:d}\`,a=>{if(s)return bt(e,e.radius,2*Math.PI*Ln(a)-Math.PI/2);let u=Math.sqrt(.06+.94*(a+.5)/d);return bt(e,e.radius*u,a*Sn)})}function bt({x:r,y:e},t,n){return{x:r+t*Math.cos(n),y:e+t*Math.sin(n)}}function Ln(r){let[e,t]=[0,.5];for(let n=r;n>0;n>>=1,t/=2)(n&1)===1&&(e+=t);return e}var me=class{#t="";#e=()=>({x:0,y:0});#i=[];set(e,t){e!==this.#t&&(this.#t=e,this.#e=t,this.#i.length=0)}at(e){return this.#i[e]??=this.#e(e)}},I=class{#t=new Map;#e=[];#i=0;#n=0;get size(){return this.#i}keep(e){let t=++this.#n,n;for(let o of e){let s=this.#t.get(o);s===void 0?(n??=[]).push(o):s.round=t}let i=e.length-(n?.length??0);this.#t.size>i&&this.#o(t);for(let o of n??[])this.#t.set(o,{number:this.#e.pop()??this.#i++,round:t})}#o(e){for(let[t,n]of this.#t)n.round!==e&&(this.#t.delete(t),this.#e.push(n.number));this.#t.size===0&&(this.#e.length=0,this.#i=0),this.#e.sort((t,n)=>n-t)}of(e){return this.#t.get(e)?.number??0}};var He={closing:["Closing","end not seen"],FIN:["FIN","ended in order"],RST:["RST","reset"],unknown:["Over","how is not told"]};function W(r,e,t){let n=f("p",{class:"count"}),i=f("p",{class:"who whom"}),o=f("div",{class:"well"});return{root:f("section",{class:\`box \${r}\`,children:[...e===""?[]:[f("h3",{text:e})],...t===""?[]:[f("p",{class:"who",text:t})],n,i,o]}),count:n,whom:i,well:o}}function Tt({number:r,name:e,isLoop:t,kind:n,turns:i}){let o=f("p",{class:"what"}),s=f("div",{class:"well"});return{root:f("div",{class:\`card \${t?"loop":n}\`,attributes:{"data-thread":String(r)},children:[f("h4",{text:e}),o,s]}),what:o,well:s,turns:i,slots:new I,places:new me,angle:-Math.PI/2,rectangle:{x:0,y:0,width:1,height:1},toAngle:-Math.PI/2}}function Mt({activity:r,dots:e,isLoop:t,standsStill:n}){return r?.what==="computing"||n?"computing":r?.what==="writing"?"writing":t||e.length===0?"free":"reading"}function pe(r,e){return\`\${T(r)} \${e}\${r===1?"":"s"}\`}function Et({activity:r,dots:e,isLoop:t,standsStill:n,turns:i,kind:o},s,d){let a=r?.connection===void 0?"":\` for \${d(r.connection)}\`,u=r===void 0?"":v(Math.max(0,s-r.sinceUs));if(r?.what==="computing"){let c=r.task===void 0?"":\` \${r.task}\`;return t?\`stands still: computes\${c}\${a} · \${u}\`:\`computes\${c}\${a} · \${u}\`}if(n)return\`stands still: a turn\${a} · \${u}\`;if(t)return\`\${pe(e.length,"connection")} · \${G(i)} \${i===1?"turn":"turns"}\`;if(o==="computes")return"free";let[l]=e;if(l===void 0)return"free";let h=l.connection===void 0?l.peer:d(l.connection);return l.doing==="writing"?\`waits until \${h} takes what was sent\`:\`waits for \${h} to send\`}var St=90,Un=2e3,On=4,$n=9,ge=class{#t=new Map;#e=new Map(S.map(({look:e})=>[e,[]]));#i=0;get size(){return this.#t.size}keep(e){let t=++this.#i,[n,i]=[!1,!1];for(let o of e){let s=this.#t.get(o);if(s===void 0){n=!0,this.#t.set(o,{x:NaN,y:NaN,toX:NaN,toY:NaN,alpha:0,round:t,dot:o,look:R(o),place:o.place,thread:o.thread});continue}s.round=t;let d=R(o);i||=d!==s.look||o.place==="ended",s.look=d,!(s.place===o.place&&s.thread===o.thread)&&(n=!0,s.place=o.place,s.thread=o.thread)}if(this.#t.size>e.length){for(let[o,s]of this.#t)s.round!==t&&this.#t.delete(o);n=!0}return{hasMoved:n,hasChanged:i||n}}find(e){return this.#t.get(e)}send(e,{x:t,y:n},i){let o=this.#t.get(e);o!==void 0&&(o.toX=t,o.toY=n,Number.isNaN(o.x)&&(o.x=t+i.x,o.y=n+i.y))}move(e,t){let n=t?1:1-Math.exp(-e/St),i=!1;for(let o of this.#t.values()){let[s,d]=[o.toX-o.x,o.toY-o.y];n===1||Math.abs(s)+Math.abs(d)<.4?(o.x=o.toX,o.y=o.toY):(o.x+=s*n,o.y+=d*n,i=!0),!(o.alpha>=1)&&(o.alpha=Math.min(1,t?1:o.alpha+e/(2*St)),i=!0)}return i}get isLarge(){return this.#t.size>Un}nearest({x:e,y:t},n){let[i,o]=[void 0,n*n];for(let s of this.#t.values()){let d=(s.x-e)**2+(s.y-t)**2;d>o||([i,o]=[s,d])}return i?.dot}draw(e,t){let{radius:n,colours:i}=t;for(let s of this.#e.values())s.length=0;for(let s of this.#t.values())Number.isNaN(s.x)||this.#e.get(s.look)?.push(s);for(let[s,d]of this.#e){if(d.length===0)continue;let a=i.get(s);n<On?Cn(e,d,a,n):In(e,d,s,a,t)}e.globalAlpha=1;let{isFollowed:o}=t;if(o!==void 0)for(let s of this.#t.values())o(s.dot)&&(e.strokeStyle=i.get("accent"),e.lineWidth=2,e.beginPath(),e.arc(s.x,s.y,Math.max(n+4,7),0,2*Math.PI),e.stroke())}};function Cn(r,e,t,n){if(r.globalAlpha=1,r.fillStyle=t,n<2.5){let i=2*n;for(let{x:o,y:s}of e)r.fillRect(o-n,s-n,i,i);return}r.beginPath();for(let{x:i,y:o}of e)r.moveTo(i+n,o),r.arc(i,o,n,0,2*Math.PI);r.fill()}function In(r,e,t,n,{radius:i,colours:o,letterOf:s,shareOf:d,font:a}){let u=ze.get(t),l=o.get("well"),h=Math.max(1.5,i*.26);r.lineWidth=h,r.strokeStyle=n,r.font=a,r.textAlign="center",r.textBaseline="middle";for(let c of e){let{x:m,y:p,dot:y}=c;if(r.globalAlpha=c.alpha*d(y),r.beginPath(),u==="cross"){let b=i*.7;r.moveTo(m-b,p-b),r.lineTo(m+b,p+b),r.moveTo(m+b,p-b),r.lineTo(m-b,p+b),r.stroke();continue}r.arc(m,p,u==="ring"?i-h/2:i,0,2*Math.PI),r.fillStyle=u==="ring"?l:n,r.fill(),u==="ring"&&r.stroke(),!(i<$n)&&(r.fillStyle=u==="ring"?n:l,r.fillText(s(y),m,p+.5))}r.globalAlpha=1}function _e({x:r,y:e,width:t,height:n}){return{x:r+t/2,y:e+n/2}}var Rn=32,Pn=720,An=100,Nn=64,Dn=4,Hn=70,Lt="in the kernel",_n="no newcomers",ye=class{root;canvas;#t;#e;#i;#n;#o;#a;#r;#s;#d=new ge;#h;#l=new Map;#u;#x="";#m=new Map;#y=!1;#b=1;#p=!1;#k=new Map;#L=-1/0;#c=10;#w="";#g=!0;lingerUs=7e5;constructor(e){this.#h=e;let t=f("div",{class:"fill"}),n=W("accept","Accept queue",Lt);n.count.after(f("div",{class:"gauge",children:[t]}));let i=f("p",{class:"who parts"});n.whom.after(i),this.#e={...n,gauge:t,parts:i,where:n.root.querySelector(".who")},this.#i=W("handover","Hand-over queue","in the process"),this.#a=f("div",{class:"cards"}),this.#r=f("p",{class:"others"}),this.#o=f("p",{class:"who"});let o=f("h3",{text:"Threads"});this.#n={root:f("section",{class:"box threads",children:[o,this.#o,this.#a,this.#r]}),title:o},this.#s=new Map(Object.keys(He).map(d=>{let a=W(\`end \${d.toLowerCase()}\`,...He[d]);return[d,{...a,slots:new I}]}));let s=f("div",{class:"ends",children:[...this.#s.values()].map(({root:d})=>d)});this.#t=f("div",{class:"flow",children:[this.#e.root,this.#i.root,this.#n.root,s]}),this.canvas=f("canvas",{attributes:{"aria-hidden":"true"}}),this.root=f("div",{class:"stage",children:[this.#t,this.canvas]})}refresh(){this.#y=!1,this.#g=!0,this.#L=-1/0}hit(e){return this.#d.nearest(e,Math.max(14,this.#c+4))}show(e,{passedMs:t,jumps:n,isPlaying:i}){let o=performance.now();this.#I(e)&&this.refresh(),(o-this.#L>=An||!i)&&(this.#L=o,this.#S(e)),this.#y||this.#R();let{hasMoved:s,hasChanged:d}=this.#d.keep(e.dots);(s||this.#g)&&this.#_(e);let a=this.#d.move(t,n),u=this.#N(e,t,n),l=this.#U(e);return(d||a||u||this.#g||l!==this.#w)&&this.#C(e),this.#w=l,this.#g=!1,a||u}#U({threads:e}){return e.map(({activity:t,isLoop:n,standsStill:i,kind:o})=>t!==void 0&&(n||o==="computes")?\`\${t.what} \${t.connection} \${i}\`:"").join()}get isLarge(){return this.#d.isLarge}#I(e){let{threads:t,hasHandOver:n,areEndsTold:i,hasUnknownEnds:o}=e,s=t.filter(({kind:g})=>g==="serves"||g==="computes"),d=s.filter(({isLoop:g})=>g),a=s.filter(({isLoop:g})=>!g),u=a.length>Rn,l=u?d:[...d,...a],h=t.filter(({kind:g})=>g!=="serves"&&g!=="computes"),c=JSON.stringify([n,u,i,o,Ut(e).length,l.map(({number:g,name:k})=>[g,k]),h.map(({name:g})=>g)]);if(c===this.#x)return!1;this.#x=c,this.#i.root.hidden=!n,this.#t.classList.toggle("with-handover",n);for(let[g,{root:k}]of this.#s)k.hidden=g==="unknown"?!o:!i;let m=new Map(this.#l);this.#l.clear();for(let g of l)this.#l.set(g.number,m.get(g.number)??Tt(g));let p=[...this.#l.values()].map(({root:g})=>g);u?(this.#u??={...W("dense","",""),slots:new I},p.push(this.#u.root)):this.#u=void 0,this.#a.replaceChildren(...p),this.#a.classList.toggle("one",l.length===1&&!u);let y=d.length===0,b=l.some(({name:g})=>g.startsWith("process"));w(this.#n.title,y?b?"Processes":"Threads":d.length===1?"Event loop":"Event loops");let x=h.map(({name:g})=>g).join(", ");return w(this.#r,x===""?"":\`also there: \${x}\`),this.#r.hidden=x==="",!0}#S(e){let{acceptQueue:t,handOverQueue:n,dots:i,totals:o,threads:s,us:d}=e,a=g=>i.reduce((k,L)=>k+(L.place===g?1:0),0),{waiting:u=0,limit:l=0}=t;w(this.#e.count,_(t)),this.#e.where!==null&&w(this.#e.where,e.isClosing?_n:Lt),this.#e.gauge.style.width=\`\${l===0?0:Math.min(100,u/l*100)}%\`;let h=Ut(e);this.#e.whom.hidden=h.length>0,this.#e.parts.hidden=h.length===0;let{nameOf:c}=this.#h;w(this.#e.parts,h.map(g=>ct(g,c)).join(\`
\`)),this.#M(this.#e,"accept queue",i),this.#M(this.#i,"hand-over queue",i),w(this.#i.count,_(n));for(let g of s){let k=this.#l.get(g.number);if(k===void 0)continue;let{root:L,what:V}=k,z=Et(g,d,this.#h.nameOf);w(V,z),V.title=z,L.dataset.state=Mt(g)}let m=s.filter(({kind:g})=>g==="serves"),p=m.reduce((g,{dots:k})=>g+k.length,0),y=m.filter(({dots:g})=>g.length>0).length;this.root.classList.toggle("partial",e.isPartial);let b=e.counters?.live,x=(e.leftOut.get("connections")??0)===0||b===void 0||b<=p;if(w(this.#o,e.isPartial&&b!==void 0?\`the server counts \${pe(b,"connection")}, too many come and go to draw each\`:m.some(({isLoop:g})=>g)?\`\${x?"":\`\${T(p)} of \`}\${pe(x?p:b,"connection")} in turns\`:\`\${T(y)} of \${T(m.length)} \${y===1?"serves":"serve"}\`),this.#u!==void 0){let g=m.filter(({activity:k})=>k?.what==="computing").length;w(this.#u.count,\`\${T(m.length)} threads: \${T(g)} compute, \${T(y-g)} wait for peers, \${T(m.length-y)} are free\`)}for(let[g,{count:k}]of this.#s)w(k,T(g==="closing"?a("closing"):o.endings[g]))}#M({whom:e},t,n){let i=n.find(o=>o.place===t)?.waitsFor;w(e,i===void 0?"":\`for \${this.#h.nameOf(i)}\`)}#R(){this.#y=!0;let e=this.root.getBoundingClientRect(),t=l=>{let{x:h,y:c,width:m,height:p}=l.getBoundingClientRect();return{x:h-e.x,y:c-e.y,width:m,height:p}};this.#p=e.width<Pn,this.#m=new Map;let n=[this.#e,this.#i,...this.#s.values()].map(({well:l})=>l);this.#u!==void 0&&n.push(this.#u.well);for(let l of n)this.#m.set(l,t(l));for(let l of this.#l.values())l.rectangle=t(l.well);let i=this.#b=Math.min(2,devicePixelRatio),[o,s]=[Math.round(e.width*i),Math.round(e.height*i)];(this.canvas.width!==o||this.canvas.height!==s)&&(this.canvas.width=o,this.canvas.height=s);let d=getComputedStyle(this.root),a=f("i",{class:"probe"});this.root.append(a);let u=[...S.map(({look:l})=>l),"well","accent","line","faint"];this.#k=new Map(u.map(l=>(a.style.color=\`var(--figure-\${l})\`,[l,getComputedStyle(a).color]))),a.remove(),this.#O=\`600 10px \${d.fontFamily}\`}#O="600 10px sans-serif";#_(e){let{dots:t,threads:n}=e;this.#c=wt(t.length);let i=this.#c,o=new Map;for(let l of t){let h=l.place==="ended"?l.ending:l.place,c=o.get(h);c===void 0?o.set(h,[l]):c.push(l)}let s=this.#p?{x:0,y:-18}:{x:-18,y:0},d=(l,h)=>l.sinceUs-h.sinceUs||l.id-h.id,a=(l,{well:h})=>{let c=xt(this.#E(h),l.length,i,this.#p);l.sort(d).forEach((m,p)=>this.#d.send(m,c(p),s))};a(o.get("accept queue")??[],this.#e);let u=!this.#i.root.hidden;u&&a([...o.get("hand-over queue")??[],...o.get("taken")??[]],this.#i);for(let l of n)this.#P(l,s);if(this.#u!==void 0&&this.#A(n,s),!u){let{x:l,y:h,height:c}=this.#$();for(let m of[...o.get("hand-over queue")??[],...o.get("taken")??[]])this.#d.send(m,{x:l-i,y:h+c/2},s)}for(let[l,{well:h,slots:c}]of this.#s){let m=o.get(l)??[];c.keep(m);let p=Q(this.#E(h),Math.max(1,c.size),i);for(let y of m)this.#d.send(y,p(c.of(y)),s)}}#$(){return[...this.#l.values()][0]?.rectangle??{x:0,y:0,width:0,height:0}}#P({number:e,dots:t,isLoop:n},i){let o=this.#l.get(e);if(o===void 0)return;let{rectangle:s,slots:d,places:a}=o;d.keep(t);let u=this.#c;if(n){kt(a,De(s,u),d.size,u);for(let h of t)this.#d.send(h,a.at(d.of(h)),i);return}let l=Q(s,Math.max(1,d.size),u);for(let h of t)this.#d.send(h,l(d.of(h)),i)}#A(e,t){if(this.#u===void 0)return;let{well:n,slots:i}=this.#u,o=e.filter(({number:d,kind:a})=>a==="serves"&&!this.#l.has(d));i.keep(o.map(({number:d})=>d));let s=Q(this.#E(n),Math.max(1,i.size),this.#c);for(let{number:d,dots:a}of o)for(let u of a)this.#d.send(u,s(i.of(d)),t)}#E(e){return this.#m.get(e)??{x:0,y:0,width:1,height:1}}#N({threads:e,dots:t},n,i){let o=!1;for(let{number:s,isLoop:d,activity:a,turns:u,lastTurn:l,dots:h}of e){let c=d?this.#l.get(s):void 0;if(c===void 0)continue;let m=a?.connection??l,p=m===void 0?void 0:h.find(({connection:x})=>x===m),y=p&&this.#d.find(p);if(y!==void 0){let x=_e(c.rectangle);c.toAngle=Math.atan2(y.toY-x.y,y.toX-x.x)}else u!==c.turns&&(c.toAngle+=(u-c.turns)*2*Math.PI/Math.max(8,h.length));c.turns=u;let b=qn(c.toAngle-c.angle);i||Math.abs(b)<.01?c.angle=c.toAngle:(c.angle+=b*(1-Math.exp(-n/Hn)),o=!0)}return o&&t.length>0}#C(e){let t=this.canvas.getContext("2d");if(t===null)return;let n=this.#b;t.setTransform(n,0,0,n,0,0),t.clearRect(0,0,this.canvas.width,this.canvas.height);for(let o of e.threads)o.isLoop&&this.#D(t,o);this.#T(t,e.threads),this.#f(t,e);let{lingerUs:i}=this;this.#d.draw(t,{radius:this.#c,colours:this.#k,font:this.#O,letterOf:this.#h.letterOf,isFollowed:this.#h.followed(),shareOf:({place:o,sinceUs:s})=>o==="ended"?Math.max(0,1-(e.us-s)/i):1})}#v(e){return this.#k.get(e)??"gray"}#D(e,{number:t,standsStill:n}){let i=this.#l.get(t);if(i===void 0)return;let{x:o,y:s,radius:d}=De(i.rectangle,this.#c);e.lineWidth=n?2.5:1.5,e.strokeStyle=this.#v(n?"computing":"line"),e.beginPath(),e.arc(o,s,d,0,2*Math.PI),e.stroke();let a=Math.max(4,d-this.#c-6);e.strokeStyle=this.#v(n?"computing":"faint"),e.fillStyle=e.strokeStyle,e.lineWidth=n?4:2.5,e.lineCap="round",e.beginPath(),e.moveTo(o,s),e.lineTo(o+a*Math.cos(i.angle),s+a*Math.sin(i.angle)),e.stroke(),e.beginPath(),e.arc(o,s,n?6:4,0,2*Math.PI),e.fill()}#T(e,t){if(this.#u===void 0)return;let{well:n,slots:i}=this.#u,o=Q(this.#E(n),Math.max(1,i.size),this.#c),s=Math.max(2,this.#c*2.2);e.strokeStyle=this.#v("line"),e.lineWidth=1;for(let{number:d,kind:a}of t){if(a!=="serves"||this.#l.has(d))continue;let{x:u,y:l}=o(i.of(d));e.strokeRect(u-s/2,l-s/2,s,s)}}#f(e,{threads:t,dots:n}){let i=t.filter(({kind:s,activity:d})=>s==="computes"&&d?.what==="computing").slice(0,Nn);if(i.length===0)return;let o=20;e.font=this.#O,e.textAlign="center",e.textBaseline="middle";for(let{number:s,activity:d}of i){let a=this.#l.get(s);if(a===void 0||d===void 0)continue;let{x:u,y:l}=_e(a.rectangle),h=n.find(({connection:m})=>m===d.connection),c=h&&this.#d.find(h);c!==void 0&&(e.strokeStyle=this.#v("awaiting"),e.lineWidth=1.5,e.setLineDash([4,4]),e.beginPath(),e.moveTo(c.x,c.y),e.lineTo(u,l),e.stroke(),e.setLineDash([])),e.fillStyle=this.#v("computing"),e.beginPath(),e.roundRect(u-o/2,l-o/2,o,o,4),e.fill(),h!==void 0&&(e.fillStyle=this.#v("well"),e.fillText(this.#h.letterOf(h),u,l+.5))}}};function Ut(r){return Pe(r).toSorted((e,t)=>t.waiting-e.waiting).slice(0,Dn).sort((e,t)=>e.thread-t.thread)}function qn(r){return Math.atan2(Math.sin(r),Math.cos(r))}var Vn=6e7,Fn=700,Bn=12,Qn=.04,Wn=150,Kn=5e3,zn=3e3,Gn=250,be=class extends j{static observedAttributes=["src","data-title","names","speed"];#t=[];#e=new ue;#i=new F;#n=new C;#o=[];#a=new Map;#r=!1;#s=!1;#d;#h;#l=new le({nameOf:e=>this.#C(e),named:e=>this.#W(e)});#u;#x;#m;#y;#b;#p=[];#k;#L=!0;#c=0;#w;#g=-1/0;#U=-1/0;#I="";#S=new A;get lines(){return this.#t}set lines(e){this.#t=e,this.#r=!1,this.#s=!1,this.#n=new C,this.#n.add(ee(e)),this.#P()}get names(){return this.#o}set names(e){this.#o=e,this.#N(),this.#f()}get view(){return this.#n.at(this.#e.us,this.#D)}get scene(){return this.#n}get us(){return this.#e.us}get isPlaying(){return this.#e.isPlaying}get followed(){return this.#l.connection}startLive(e=!1){this.#r=!0,this.#s=!0,this.#n=new C({keepUs:Vn}),this.#i=new F,this.#e.goLive(),this.#P(e)}appendLines(e){this.#r||this.startLive(),this.#n.add(e),this.#i.hear(this.#n.toUs,performance.now()),this.#f()}stopLive(){this.#s&&(this.#s=!1,this.#e.isLive=!1,this.#f())}play(){this.#e.play(),this.#f()}pause(){this.#e.pause(),this.#f()}seek(e){this.#E(),this.#e.seek(e),this.#f()}step(e){this.#e.pause();let{us:t}=this.#e,n=this.#n.happenings(),i=e>0?n.find(o=>o.us>t+.5):n.findLast(o=>o.us<t-.5);i!==void 0&&this.seek(i.us)}follow(e){this.#M({connection:e})}#M(e){this.#l.follow(e),this.#R(),this.#T()}#R(){let e=this.#h?.follow,{connection:t}=this.#l,n=t===void 0?"":String(t);e!==void 0&&e.value!==n&&(e.value=n)}#O(e){let{dots:t}=this.view;if(t.length===0)return;let n=t.findIndex(o=>this.#l.is(o)),i=n<0&&e<0?t.length-1:(n+e+t.length)%t.length;this.#M(t[i])}connectedCallback(){this.#d===void 0&&this.#q();let e=new IntersectionObserver(([o])=>{this.#L=o?.isIntersecting??!0,this.#f()});e.observe(this);let t=new ResizeObserver(()=>this.#T());t.observe(this.#d?.root);let n=new MutationObserver(()=>this.#T());n.observe(document.documentElement,{attributes:!0,attributeFilter:["class","style"]}),this.#p=[e,t,n],this.#k=new AbortController;let{signal:i}=this.#k;for(let o of["(prefers-color-scheme: dark)","(prefers-reduced-motion: reduce)"])matchMedia(o).addEventListener("change",()=>this.#T(),{signal:i});this.#f()}disconnectedCallback(){for(let e of this.#p)e.disconnect();this.#p=[],this.#k?.abort(),this.#S.stop(),cancelAnimationFrame(this.#c),this.#c=0}attributeChangedCallback(e,t,n){e==="src"&&n!==null&&this.#_(n),e==="names"&&(this.names=J(n)),e==="speed"&&n!==null&&Number(n)>0&&this.#e.setSpeed(Number(n)),e==="data-title"&&this.#V()}async#_(e){await this.#S.load(e,t=>{this.lines=t,this.hasAttribute("autoplay")&&!ke()&&this.play()},t=>this.#$(t))}#$(e){this.#m!==void 0&&w(this.#m,e)}#P(e=!1){if(this.#N(),this.#V(),this.#E(),!this.#s){this.#e.pause(),this.#e.seek(this.#e.range.fromUs);let t=Number(this.getAttribute("speed"));this.#e.setSpeed(t>0?t:this.#A())}e?this.#l.renew():this.follow(void 0),this.#T()}#A(){let{fromUs:e,toUs:t}=this.#e.range,n=(t-e)/1e6/Bn;return q.find(i=>i>=n)??10}#E(){let e=this.#n;if(this.#r){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let t=e.happenings(),[n,i]=[t[0],t.at(-1)];if(n===void 0||i===void 0){this.#e.range={fromUs:e.fromUs,toUs:e.toUs};return}let o=Math.max(1e3,(i.us-n.us)*Qn);this.#e.range={fromUs:Math.max(0,n.us-o),toUs:i.us+o}}#N(){if(this.#a=new Map,this.#o.length===0)return;let e=this.#n.dots.filter(({connection:t})=>t!==void 0);for(let[t,{connection:n}]of e.slice(0,this.#o.length).entries())this.#a.set(n,this.#o[t])}#C(e){return this.#a.get(e)??\`#\${e}\`}#v({connection:e}){if(e===void 0)return"";let t=this.#a.get(e);return t!==void 0?t.slice(0,1).toUpperCase():e<1e3?String(e):""}get#D(){return Fn*1e3*this.#e.speed}#T(){this.#d?.refresh(),this.#g=-1/0,this.#f()}#f(){this.#c!==0||this.#d===void 0||!this.isConnected||(this.#c=requestAnimationFrame(e=>this.#B(e)))}#B(e){this.#c=0;let t=this.#d;if(t===void 0)return;let n=ke(),i=Math.min(100,e-(this.#w??e));if(n&&this.#e.isPlaying&&e-(this.#w??-1/0)<Gn){this.#f();return}this.#w=e,this.#E();let o=this.#e.us,s=this.#s?this.#i.at(performance.now()):void 0;this.#e.advance(e,s);let{us:d}=this.#e,{view:a}=this;t.lingerUs=this.#D;let u=t.isLarge&&Math.abs(d-o)>1e6,{isPlaying:l}=this.#e,h=t.show(a,{passedMs:i,jumps:n||u,isPlaying:l});(e-this.#g>=Wn||!l)&&(this.#g=e,this.#K(a)),(l&&this.#L||h)&&this.#f()}#q(){let e=this.attachShadow({mode:"open"});P(e,O,ie,Xe,Je,Ze);let t=new ye({nameOf:o=>this.#C(o),letterOf:o=>this.#v(o),followed:()=>this.#l.isSomebody?o=>this.#l.is(o):void 0});this.#d=t,t.canvas.addEventListener("click",o=>{let{x:s,y:d}=t.canvas.getBoundingClientRect(),a=t.hit({x:o.clientX-s,y:o.clientY-d});this.#M(a??{})}),this.#u=f("h2"),this.#x=f("p",{class:"sub"}),this.#m=f("p",{class:"now"}),this.#y=f("p",{class:"unseen",attributes:{"aria-live":"polite"}});let n=nt();this.#h=n,this.#F(n);let i=new ae(o=>this.#C(o),{onOpen:()=>this.#T(),onFollow:o=>this.#M(o)});this.#b=i,e.append(f("div",{class:"frame",attributes:{role:"group","aria-label":"A server and its connections"},children:[f("div",{class:"head",children:[this.#u,this.#x]}),t.root,n.root,this.#m,this.#l.root,it(),i.root,this.#y]})),this.#V()}#F(e){let{play:t,live:n,slower:i,faster:o,back:s,step:d,time:a,follow:u}=e;t.addEventListener("click",()=>this.#e.isPlaying?this.pause():this.play()),n.addEventListener("click",()=>{this.#e.goLive(),this.#f()}),i.addEventListener("click",()=>this.#H(-1)),o.addEventListener("click",()=>this.#H(1)),s.addEventListener("click",()=>this.step(-1)),d.addEventListener("click",()=>this.step(1)),a.addEventListener("input",()=>{let{fromUs:l,toUs:h}=this.#e.range;this.#e.pause(),this.seek(l+Number(a.value)/Number(a.max)*(h-l))}),u.addEventListener("input",()=>{let l=Number(u.value);this.follow(u.value!==""&&Number.isInteger(l)?l:void 0)}),this.shadowRoot?.addEventListener("keydown",l=>this.#Q(l))}#Q(e){if(e.ctrlKey||e.metaKey||e.altKey)return;let{target:t}=e,n=t instanceof HTMLInputElement||t instanceof HTMLSelectElement,i=t instanceof HTMLButtonElement,{key:o}=e;if(o==="Escape")this.follow(void 0);else{if(n)return;if(o==="+")this.#H(1);else if(o==="-")this.#H(-1);else if(o===".")this.step(1);else if(o===",")this.step(-1);else if(o==="n")this.#O(1);else if(o==="p")this.#O(-1);else if(o==="k"||o===" "&&!i&&t===this.#h?.root)this.#e.isPlaying?this.pause():this.play();else return}e.preventDefault()}#H(e){this.#e.changeSpeed(e),this.#T()}#V(){if(this.#u===void 0||this.#x===void 0)return;let{header:e}=this.#n;w(this.#u,this.getAttribute("data-title")??e?.by??""),w(this.#x,e===void 0?"":\`\${e.by} · \${e.runtime}\`),this.#u.parentElement?.toggleAttribute("hidden",e===void 0&&this.#u.textContent==="")}#K(e){this.#z(e),this.#G(e),this.#l.show(e,this.#n,this.#e.range.fromUs),this.#R(),this.#b?.show(e),this.#j(e)}#z({us:e}){let t=this.#h;if(t===void 0)return;let{isPlaying:n,isLive:i,speed:o,range:s}=this.#e;w(t.play,n?"Pause":this.#e.isAtEnd&&!this.#s?"Again":"Play"),t.live.hidden=!this.#s,w(t.live,i?"Live":"Go live"),t.live.setAttribute("aria-pressed",String(i)),w(t.speed,o>=1?\`\${o}×\`:\`1/\${Math.round(1/o)}×\`),t.slower.disabled=o<=q[0],t.faster.disabled=o>=q.at(-1);let d=Math.max(1,s.toUs-s.fromUs),{max:a}=t.time,u=String(Math.round((e-s.fromUs)/d*Number(a)));t.time.value!==u&&(t.time.value=u);let l=this.#s?i?"now":\`\${v(Math.max(0,s.toUs-e))} ago\`:\`\${v(Math.max(0,e-s.fromUs))} of \${v(d)}\`;w(t.moment,l),t.time.setAttribute("aria-valuetext",l)}#G({us:e,note:t,leftOut:n,isPartial:i}){if(this.#s&&this.#e.isPlaying){if(!i)return this.#$(t??"");let s=n.get("connections")??0;return this.#$(\`Too many connections to draw each of them: \${T(s)} were left out so far.\`)}let o=this.#n.dots.length>zn?void 0:this.#Y(e);this.#$(o===void 0?t??"":this.#W(o))}#Y(e){return this.#n.happenings().findLast(t=>t.us<=e+.5)}#W({text:e}){let t=e.replaceAll(/#(\\d+)/g,(n,i)=>this.#C(Number(i)));return t.slice(0,1).toUpperCase()+t.slice(1)}#j({dots:e,totals:t}){let n=performance.now();if(this.#y===void 0||n-this.#U<Kn)return;let i=u=>e.filter(l=>l.place===u).length,o=i("thread"),s=i("accept queue")+i("hand-over queue"),d=Object.values(t.outcomes).reduce((u,l)=>u+l,0),a=\`\${o} served, \${s} waiting, \${d} over\`;a!==this.#I&&(this.#U=n,this.#I=a,w(this.#y,a))}};X("model-figure",be);var Yn={"three-clients":["Three clients","a long prime, an echo and a small prime"],"slow-client":["A slow client","it sends a byte at a time"],vanish:["A client that vanishes","it is gone without a word"],fifty:["Fifty at once","fifty clients connect at the same time"],burst:["A burst of 1,000","a thousand clients, as fast as they can"],"kill-worker":["Kill a worker","a thread or process of the server dies"]},jn={accepted:"accepted and begun",queued:"accepted and queued"},Xn=250,K=E("figure"),$t=[new $({title:"Connections a second",series:[{name:"",of:({rate:r})=>r}],format:Be,least:10}),new $({title:"Life of a connection",note:"From accept() to the end of its conversation. How long it waited to be accepted comes before that.",series:[{name:"p50",of:({p50_us:r})=>r},{name:"p99",of:({p99_us:r})=>r}],format:v,least:1e3}),new $({title:"CPU",series:[{name:"",of:({cpu:r})=>r}],format:r=>\`\${We(r)} of a core\`,least:1}),new $({title:"Memory",series:[{name:"",of:({memory_bytes:r})=>r}],format:Qe,least:2**20,unit:2**20})],Ot,we=!1;P(document,O);E("charts").append(...$t.map(({root:r})=>r));setInterval(ri,Xn);new te({begins:ei,lines:ti,state:ni});function E(r){return document.getElementById(r)}async function Jn(){let r;try{r=await(await fetch("about")).json()}catch{return}let{mode:e,protocol:t,address:n,runtime:i,version:o,details:s=[],actions:d=[]}=r;w(E("name"),String(e??"Handshake")),document.title=\`\${String(e??"Handshake")}, live\`;let a=[t,n,...s,i,o&&\`version \${o}\`];w(E("about"),a.filter(u=>u!==void 0).map(String).join(" · ")),E("actions").hidden=d.length===0,E("buttons").replaceChildren(...d.map(u=>{let[l,h]=Yn[u]??[String(u),""],c=f("button",{text:l,attributes:{type:"button",title:h}});return c.addEventListener("click",()=>{Zn(String(u),c)}),c}))}async function Zn(r,e){e.disabled=!0;try{let t=await fetch("do",{method:"POST",body:new URLSearchParams({action:r})}),n=(await t.text()).trim();w(E("answer"),n===""?\`The answer is \${t.status}.\`:n)}catch{w(E("answer"),"The server does not answer.")}finally{e.disabled=!we,e.focus()}}function ei(){Jn()}function ti(r){for(let e of r)e.type==="recording"&&(K.startLive(e.began_us===Ot),Ot=e.began_us);K.appendLines(r)}function ni({kind:r,text:e,page:t}){let n=E("state");n.dataset.state=r,w(n,e),we=r==="live"||r==="silent",we||K.stopLive();for(let o of E("buttons").querySelectorAll("button"))o.disabled=!we;if(t===void 0||!ii(t))return;let i=f("a",{text:"Its page",attributes:{href:t}});n.append(" ",i)}function ii(r){return URL.canParse(r)&&new URL(r).protocol==="http:"}function oi(r){return r.replaceAll("_"," ").replace(/[A-Z]/g,e=>\` \${e.toLowerCase()}\`)}function ri(){if(document.hidden)return;let{us:r,scene:e}=K,{figures:t}=e;for(let a of $t)a.show(t,r);let{value:n={},at:i=r}=e.countersAt(r)??{},o=K.isPlaying?"":\`\${v(Math.max(0,r-i))} before the moment above\`;w(E("counted-age"),o);let s=E("counters"),d=Object.keys(n);s.dataset.names!==d.join()&&(s.dataset.names=d.join(),s.replaceChildren(...d.map(a=>f("div",{children:[f("dt",{text:jn[a]??oi(a)}),f("dd")]}))));for(let[a,u]of[...s.querySelectorAll("dd")].entries())w(u,T(n[d[a]]??0))}})();
;
    </script>
  </body>
</html>
`;
