; The installer of Windows: per user, without elevation. kinds/windows_installer.py writes facts.nsh, which has the
; names, the version and the lists of files, and runs makensis.
;
; Silent use: INSTALLER /S [/STARTATLOGIN] [/D=FOLDER] and UNINSTALLER /S [/DELETEDATA].
; Exit codes: 0 done, 1 cancelled, 2 failed (another program's files in the folder, or files that cannot be replaced),
; 3 the program is still running.

Unicode true
!include facts.nsh
Target ${TARGET}
SetCompressor /SOLID ${COMPRESSION}
!if ${COMPRESSION} == lzma
  ; The two programs hold the same modules: with the second in reach of the first, they are packed once.
  SetCompressorDictSize 32
!endif
RequestExecutionLevel user
ManifestDPIAware true
ManifestLongPathAware true
ManifestSupportedOS all

!include FileFunc.nsh
!include LogicLib.nsh
!include MUI2.nsh
!include Sections.nsh
!include Util.nsh
!include WinVer.nsh
!include x64.nsh

!define PROGRAM "${NAME}.exe"
!define WINDOW "${NAME}-window.exe"
!define UNINSTALLER "uninstall-${NAME}.exe"
!define RUN_KEY "Software\Microsoft\Windows\CurrentVersion\Run"
!define APPROVED_KEY "Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${TITLE}"
!define QUIT_SECONDS 60

Name "${TITLE}"
OutFile "${OUTPUT}"
InstallDir "$LOCALAPPDATA\Programs\${TITLE}"
InstallDirRegKey HKCU "${UNINSTALL_KEY}" "InstallLocation"
BrandingText "${TITLE} ${VERSION}"
ShowInstDetails nevershow
ShowUninstDetails nevershow

!ifdef SIGN_COMMAND
  !uninstfinalize `${SIGN_COMMAND} "%1"`
!endif

VIProductVersion "${VERSION_NUMBERS}"
VIAddVersionKey "ProductName" "${TITLE}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${TITLE} Setup"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "CompanyName" "${PUBLISHER}"
VIAddVersionKey "LegalCopyright" "${COPYRIGHT}"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_ABORTWARNING
!define MUI_COMPONENTSPAGE_SMALLDESC
!define MUI_FINISHPAGE_NOAUTOCLOSE
!define MUI_FINISHPAGE_RUN "$INSTDIR\${WINDOW}"
!define MUI_FINISHPAGE_RUN_TEXT "Start ${TITLE}"

!insertmacro MUI_PAGE_COMPONENTS
!define MUI_PAGE_CUSTOMFUNCTION_LEAVE CheckFolder
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!define MUI_COMPONENTSPAGE_TEXT_TOP "Your sessions, settings and keys stay on this computer unless you tick them here."
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"

Var Folder
; The folder that a function is called for.
Var Upgrade
; In the uninstaller: 1 if the installer of another version runs it.

; Functions of both programs; `un` is empty or "un.".
!macro SharedFunctions un
; Ask the program in $Folder to end, and wait until its files can be replaced. Ends the installation otherwise.
Function ${un}StopProgram
  again:
  ${If} ${FileExists} "$Folder\${PROGRAM}"
    DetailPrint "Asking ${TITLE} to quit"
    nsExec::ExecToLog '"$Folder\${PROGRAM}" quit --timeout ${QUIT_SECONDS}'
    Pop $1
    ; The loader keeps the files of a process for a moment after its end. One that uses another data folder goes on.
    StrCpy $2 0
    ${Do}
      Call ${un}TestFiles
      ${If} $1 == ""
        Return
      ${EndIf}
      Sleep 250
      IntOp $2 $2 + 1
    ${LoopUntil} $2 = 20
    MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "${TITLE} is still running, perhaps with a request ($1 is in use).$\n$\nQuit it from its icon in the notification area, then press Retry." /SD IDCANCEL IDRETRY again
    SetErrorLevel 3
    Abort "${TITLE} is still running: $1 is in use."
  ${EndIf}
FunctionEnd

; Set $1 to the program in $Folder that cannot be replaced, or to nothing.
Function ${un}TestFiles
  StrCpy $1 ""
  !insertmacro TestFile "${PROGRAM}"
  !insertmacro TestFile "${WINDOW}"
FunctionEnd

; Set $1 to "1" if the program that starts at login is the one in $Folder, to "0" if it is another, else to nothing.
Function ${un}ReadLogin
  ReadRegStr $2 HKCU "${RUN_KEY}" "${TITLE}"
  StrCpy $1 $2
  ${If} $2 != ""
    StrLen $3 '"$Folder\'
    StrCpy $2 $2 $3
    StrCpy $1 0
    ${If} $2 == '"$Folder\'
      StrCpy $1 1
    ${EndIf}
  ${EndIf}
FunctionEnd
!macroend

!macro TestFile name
  ${If} ${FileExists} "$Folder\${name}"
    ClearErrors
    FileOpen $3 "$Folder\${name}" a
    ${If} ${Errors}
      StrCpy $1 "${name}"
    ${Else}
      FileClose $3
    ${EndIf}
  ${EndIf}
!macroend

!insertmacro SharedFunctions ""
!insertmacro SharedFunctions "un."

Section "${TITLE}" ProgramSection
  SectionIn RO
  Call CheckFolder
  ; The version before may be in another folder.
  ReadRegStr $Folder HKCU "${UNINSTALL_KEY}" "InstallLocation"
  ${If} $Folder != ""
  ${AndIf} $Folder != $INSTDIR
    Call RemoveVersion
    Delete "$Folder\${UNINSTALLER}"
    RMDir "$Folder"
  ${EndIf}
  StrCpy $Folder $INSTDIR
  Call RemoveVersion

  ; First, so that an interrupted installation can be removed.
  SetOutPath "$INSTDIR"
  WriteUninstaller "$INSTDIR\${UNINSTALLER}"
  !insertmacro InstallFiles
  SetOutPath "$INSTDIR"

  CreateShortcut "$SMPROGRAMS\${TITLE}.lnk" "$INSTDIR\${WINDOW}" "" "" "" SW_SHOWNORMAL "" "${SUMMARY}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "${TITLE}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\${WINDOW}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "${PUBLISHER}"
  !ifdef HOME_PAGE
    WriteRegStr HKCU "${UNINSTALL_KEY}" "URLInfoAbout" "${HOME_PAGE}"
  !endif
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\${UNINSTALLER}"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\${UNINSTALLER}" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" ${SIZE_KB}
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
SectionEnd

Section /o "Start at login" LoginSection
SectionEnd

; The same value that the program's own setting writes, and its setting in Task Manager.
Section -Login
  StrCpy $Folder $INSTDIR
  Call ReadLogin
  ${If} ${SectionIsSelected} ${LoginSection}
    ; A value for this folder is left alone: it may have the user's options.
    ${If} $1 != 1
      WriteRegStr HKCU "${RUN_KEY}" "${TITLE}" '"$INSTDIR\${WINDOW}" --hidden'
      DeleteRegValue HKCU "${APPROVED_KEY}" "${TITLE}"
    ${EndIf}
  ${ElseIf} $1 == 1
    DeleteRegValue HKCU "${RUN_KEY}" "${TITLE}"
    DeleteRegValue HKCU "${APPROVED_KEY}" "${TITLE}"
  ${EndIf}
SectionEnd

LangString ProgramText ${LANG_ENGLISH} "The program, its server and an entry in the Start menu."
LangString LoginText ${LANG_ENGLISH} "Start ${TITLE} hidden in the notification area when you sign in. Its settings can change this."
!insertmacro MUI_FUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${ProgramSection} $(ProgramText)
  !insertmacro MUI_DESCRIPTION_TEXT ${LoginSection} $(LoginText)
!insertmacro MUI_FUNCTION_DESCRIPTION_END

Function .onInit
  !if ${PROCESSOR} == arm64
    ${IfNot} ${IsNativeARM64}
  !else
    ${IfNot} ${RunningX64}
  !endif
  ${OrIfNot} ${AtLeastWin10}
    MessageBox MB_ICONSTOP "${TITLE} for ${PROCESSOR} needs Windows 10 or later on such a processor." /SD IDOK
    SetErrorLevel 2
    Abort
  ${EndIf}
  ; An upgrade keeps the choice.
  ReadRegStr $Folder HKCU "${UNINSTALL_KEY}" "InstallLocation"
  Call ReadLogin
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/STARTATLOGIN" $2
  ${If} $1 == 1
  ${OrIfNot} ${Errors}
    !insertmacro SelectSection ${LoginSection}
  ${EndIf}
FunctionEnd

; Refuse a folder in which files of another program would be overwritten, and later removed.
Function CheckFolder
  ${If} ${FileExists} "$INSTDIR\${UNINSTALLER}"
    Return
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR\${PROGRAM}"
  ${OrIf} ${FileExists} "$INSTDIR\${WINDOW}"
  ${OrIf} ${FileExists} "$INSTDIR\_internal\*.*"
    MessageBox MB_ICONSTOP "$INSTDIR has files of another program, or of an unpacked ${TITLE}. Choose another folder." /SD IDOK
    SetErrorLevel 2
    Abort "$INSTDIR has files of another program."
  ${EndIf}
FunctionEnd

; Remove the version in $Folder, if there is one, but for its uninstaller, entries and start at login.
Function RemoveVersion
  ${IfNot} ${FileExists} "$Folder\${UNINSTALLER}"
    Return
  ${EndIf}
  Call StopProgram
  ; With `_?=` it runs from its place, and is waited for.
  ExecWait '"$Folder\${UNINSTALLER}" /S /UPGRADE _?=$Folder' $1
  ${If} $1 != 0
    MessageBox MB_ICONSTOP "The version in $Folder cannot be removed. Sign out, sign in and try again." /SD IDOK
    SetErrorLevel 2
    Abort "The version in $Folder cannot be removed."
  ${EndIf}
FunctionEnd

Section "un.${TITLE}" RemoveSection
  SectionIn RO
  StrCpy $Folder $INSTDIR
  Call un.StopProgram
  SetOutPath "$TEMP"
  ; What was installed, and nothing else: the folder may have files of the user.
  !insertmacro RemoveFiles
  ${If} $Upgrade == 1
    Return
  ${EndIf}
  Call un.ReadLogin
  ${If} $1 == 1
    DeleteRegValue HKCU "${RUN_KEY}" "${TITLE}"
    DeleteRegValue HKCU "${APPROVED_KEY}" "${TITLE}"
  ${EndIf}
  Delete "$SMPROGRAMS\${TITLE}.lnk"
  Delete "$INSTDIR\${UNINSTALLER}"
  RMDir "$INSTDIR"
SectionEnd

Section /o "un.Sessions, settings and keys" DataSection
  RMDir /r "$LOCALAPPDATA\${NAME}"
  Call un.DeleteKeys
SectionEnd

; The last thing that goes.
Section -un.Entry
  ${If} $Upgrade != 1
    DeleteRegKey HKCU "${UNINSTALL_KEY}"
  ${EndIf}
SectionEnd

LangString RemoveText ${LANG_ENGLISH} "The program, its entry in the Start menu and start at login."
LangString DataText ${LANG_ENGLISH} "Everything that ${TITLE} has stored for you, in $LOCALAPPDATA\${NAME} and in the Credential Manager."
!insertmacro MUI_UNFUNCTION_DESCRIPTION_BEGIN
  !insertmacro MUI_DESCRIPTION_TEXT ${RemoveSection} $(RemoveText)
  !insertmacro MUI_DESCRIPTION_TEXT ${DataSection} $(DataText)
!insertmacro MUI_UNFUNCTION_DESCRIPTION_END

Function un.onInit
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/UPGRADE" $1
  ${IfNot} ${Errors}
    StrCpy $Upgrade 1
  ${EndIf}
  ClearErrors
  ${GetOptions} $0 "/DELETEDATA" $1
  ${IfNot} ${Errors}
    !insertmacro SelectSection ${DataSection}
  ${EndIf}
FunctionEnd

; Delete the program's entries in the Credential Manager: `NAME` and `...@NAME`, as the library keyring names them.
Function un.DeleteKeys
  System::Call 'advapi32::CredEnumerateW(p 0, i 0, *i .r1, *p .r2) i .r0'
  ${If} $0 = 0
    Return
  ${EndIf}
  StrLen $3 "@${NAME}"
  StrCpy $4 $2
  ${ForEach} $5 1 $1 + 1
    System::Call '*$4(p .r6)'
    System::Call '*$6(i, i .r7, w .r8)'
    StrCpy $9 $8 "" -$3
    ${If} $8 S== "${NAME}"
    ${OrIf} $9 S== "@${NAME}"
      System::Call 'advapi32::CredDeleteW(w r8, i r7, i 0)'
    ${EndIf}
    IntPtrOp $4 $4 + ${NSIS_PTR_SIZE}
  ${Next}
  System::Call 'advapi32::CredFree(p r2)'
FunctionEnd
